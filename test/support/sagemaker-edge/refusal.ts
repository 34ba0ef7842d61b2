import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** An answer that AWS gives in place of the service's own. */
export interface Refusal {
  readonly status: number;
  /** The name of the error, `ThrottlingException`. */
  readonly code: string;
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

export interface RefusalText {
  readonly contentType: string;
  readonly text: string;
  /** No header has the name of the error. */
  readonly isNameless?: true;
}

/** How refusals read on the wire. */
export type RefusalFormat = (refusal: Refusal) => RefusalText;

/** The shape that AWS's JSON services use. The data plane's own one is not published. */
export const awsJson: RefusalFormat = ({ code, message }) => ({
  contentType: 'application/json',
  text: JSON.stringify({ __type: code, message }),
});

/**
 * The message alone. So a tracking server that is not there answers: MLflow's client shows
 * `Response body: 'Tracking server could not be found'` (aws/CICD-for-SageMakerUnifiedStudio#13).
 */
export const plainText: RefusalFormat = ({ message }) => ({
  contentType: 'text/plain',
  text: message,
});

/** The same from something before the service, which does not name the error in a header either. */
export const wordsAlone: RefusalFormat = (refusal) => ({ ...plainText(refusal), isNameless: true });

/** The headers of every answer; clients that find their clock wrong go by `Date`. */
export function awsHeaders(now: number): Record<string, string> {
  return { date: new Date(now).toUTCString(), 'x-amzn-requestid': randomUUID() };
}

export function sendRefusal(
  response: ServerResponse,
  refusal: Refusal,
  format: RefusalFormat,
  now: number,
): void {
  const { contentType, text, isNameless } = format(refusal);
  const { retryAfter } = refusal;
  response.writeHead(refusal.status, {
    ...awsHeaders(now),
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    ...(isNameless ? {} : { 'x-amzn-errortype': refusal.code }),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  });
  response.end(text);
}
