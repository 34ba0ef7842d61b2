import type { Body } from './body.ts';

/** The requests that this program makes, by the name under which they are counted. */
export type RequestName =
  | 'experiments/get-by-name'
  | 'experiments/create'
  | 'experiments/restore'
  | 'runs/create'
  | 'runs/log-batch'
  | 'runs/update'
  | 'runs/search'
  | 'runs/delete'
  | 'artifacts/presigned-upload-url'
  | 'artifacts/put'
  | 'version'
  | 'server-info'
  | 'v1/traces'
  | 'traces/create'
  | 'traces/batchGetInfos'
  | 'traces/batchGet'
  | 'experiments/search'
  | 'experiments/set-experiment-tag'
  | 'traces/search'
  | 'traces/delete-traces';

export interface MlflowRequest {
  name: RequestName;
  method: 'GET' | 'POST' | 'PUT';
  /** From the server's root, percent-encoded, with its query. */
  path: string;
  contentType?: string;
  /** More headers than those of the content, in lower case. */
  headers?: Readonly<Record<string, string>>;
  body?: Body;
}

/**
 * What came back. `sent`: whether the server may have seen the request. `held`: it was not sent,
 * since the server takes nothing at present.
 */
export type Answer =
  | { kind: 'held' }
  /** Nothing was sent, since there are no credentials to sign it by. */
  | { kind: 'no_credentials'; cause: string }
  | {
      kind: 'answer';
      status: number;
      retryAfter?: string;
      /** The header `x-amzn-errortype`, by which some of AWS's services name an error. */
      errorType?: string;
      text: string;
    }
  | { kind: 'no_answer'; sent: boolean; cause: string };

/** Sends a request. It never throws; a transport that was closed answers `no_answer`. */
export type Send = (request: MlflowRequest) => Promise<Answer>;
