import type { StreamBody } from './stream-body.ts';

/** A request as it goes over the wire, but for what lets it in. */
export interface OutgoingRequest {
  method: string;
  /** From the root of the host, percent-encoded, with its query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | StreamBody | undefined;
}

/** A request that the server said no to. */
export interface Refusal {
  status: number;
  text: string;
  /** The answer's `Date` header. */
  date?: string | undefined;
  /** The answer's `x-amzn-errortype` header. */
  errorType?: string | undefined;
}

/** A request with its credentials, to be sent exactly so: the path that was signed is the one to send. */
export interface AuthorizedRequest {
  path: string;
  headers: Readonly<Record<string, string>>;
  /** Learns from a refusal of this request; true when it is worth one more try at once. */
  refused(refusal: Refusal): Promise<boolean>;
}

/** Gives a request its credentials, anew for each try. It throws `NoCredentialsError` for want of some. */
export type Authorize = (request: OutgoingRequest) => Promise<AuthorizedRequest>;

/** There are no credentials at present. Its message names the cause and no secret. */
export class NoCredentialsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoCredentialsError';
  }
}
