import PQueue from 'p-queue';
import { Agent, request } from 'undici';
import type { Redactor } from '../admit/vet-texts.ts';
import { isObject } from '../call/fields.ts';

export interface ExternalRedactor {
  /** A redactor for one post: whatever its calls need together ends `timeoutMs` from now. */
  forPost(): Redactor;
  close(): Promise<void>;
}

/** Requests under way at once, a call's texts each. */
const mostAtOnce = 8;
const largestAnswer = 256 * 1024 * 1024;

/**
 * A service that redacts texts: `POST url` with `{"texts": ["…"]}` answers 200 and
 * `{"texts": ["…"]}`, as many in the same order. Anything else is a failure, and nothing is tried
 * again: a post waits for its acknowledgement meanwhile.
 */
export function createExternalRedactor(url: string, timeoutMs: number): ExternalRedactor {
  const dispatcher = new Agent({ connections: mostAtOnce, maxResponseSize: largestAnswer });
  const queue = new PQueue({ concurrency: mostAtOnce });

  const ask = async (texts: readonly string[], signal: AbortSignal) => {
    if (signal.aborted) return undefined;
    const { statusCode, body } = await request(url, {
      dispatcher,
      signal,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ texts }),
    });
    if (statusCode !== 200) {
      await body.dump();
      return undefined;
    }
    return textsIn(await body.json(), texts.length);
  };

  return {
    forPost: () => {
      const signal = AbortSignal.timeout(timeoutMs);
      return (texts) => queue.add(() => ask(texts, signal).catch(() => undefined));
    },
    close: () => dispatcher.close(),
  };
}

function textsIn(answer: unknown, count: number): readonly string[] | undefined {
  const texts: unknown = isObject(answer) ? answer['texts'] : undefined;
  if (!Array.isArray(texts) || texts.length !== count || !texts.every(isText)) return undefined;
  // What was sound must not come back unsound: neither JSON nor MLflow takes it.
  return texts.map((text) => text.toWellFormed().replaceAll('\0', ''));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
