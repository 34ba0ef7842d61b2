import type { FakeUpstream } from '../../support/fake-upstream.ts';
import type { UpstreamRecord } from '../../support/upstream-record.ts';

/** A call as a client makes it. */
export interface CallPlan {
  readonly key: string;
  readonly path: string;
  /** The request as JSON, where it is no object that `JSON.stringify` could write. */
  readonly body: Readonly<Record<string, unknown>> | string;
  /** What the fake upstream finds it by; unlike that of any other call, unless it is to be cached. */
  readonly prompt: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A call with all that the client and the upstream know of it. All times are Unix milliseconds. */
export interface MadeCall extends CallPlan {
  readonly status: number;
  readonly answerHeaders: Headers;
  /** LiteLLM's call id. */
  readonly callId: string;
  /** The answer as it stands; of a stream, all its events. */
  readonly answer: string;
  readonly from: number;
  /** When the first byte of the answer's body came. */
  readonly firstByte: number;
  readonly to: number;
  /** The requests that LiteLLM made of it, in their order; none of an answer from the cache. */
  readonly upstream: readonly UpstreamRecord[];
}

/** Makes a call and reads its answer to the end. Calls of one prompt must not overlap. */
export async function makeCall(
  litellmUrl: string,
  upstream: FakeUpstream,
  plan: CallPlan,
): Promise<MadeCall> {
  const before = upstream.records.length;
  const from = now();
  const response = await fetch(litellmUrl + plan.path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${plan.key}`,
      'content-type': 'application/json',
      ...plan.headers,
    },
    body: typeof plan.body === 'string' ? plan.body : JSON.stringify(plan.body),
    signal: AbortSignal.timeout(30_000),
  });
  let firstByte: number | undefined;
  const parts: Uint8Array[] = [];
  for await (const part of response.body ?? []) {
    firstByte ??= now();
    parts.push(part);
  }
  const to = now();
  return {
    ...plan,
    status: response.status,
    answerHeaders: response.headers,
    callId: response.headers.get('x-litellm-call-id') ?? '',
    answer: Buffer.concat(parts).toString('utf8'),
    from,
    firstByte: firstByte ?? to,
    to,
    upstream: upstream.records.slice(before).filter(({ text }) => text === plan.prompt),
  };
}

/** The wall clock, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
