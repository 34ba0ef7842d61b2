/**
 * What a request asks the fake model server to do, in words that anything can carry: the last
 * message (`Tell me a joke fake:rate-limit`), or the header `x-fake` that LiteLLM adds for a model.
 */
export interface UpstreamWish {
  readonly fault: UpstreamFault | undefined;
  /** Milliseconds before the answer or, of a stream, before its first token. */
  readonly delayMs: number;
  /** Prompt tokens that count as read from the provider's prompt cache. */
  readonly cached: number;
  /** Prompt tokens that count as written to it (Anthropic only). */
  readonly cacheWritten: number;
  /** Reasoning tokens, added to the answer's own. */
  readonly reasoning: number;
}

export type UpstreamFault = (typeof faults)[number];

const faults = [
  'rate-limit',
  'server-error',
  'unavailable',
  'unauthorized',
  'bad-request',
  'context-window',
  'content-filter',
  'garbage',
  'midstream',
  'fail-once',
] as const;

/** Finds `fake:WORD` and `fake:WORD=NUMBER` in a text. */
export function readWish(text: string): UpstreamWish {
  const words = new Map<string, number>();
  for (const [, word = '', number] of text.matchAll(/\bfake:([a-z-]+)(?:=(\d+))?/g)) {
    words.set(word, number === undefined ? 1 : Number(number));
  }
  return {
    fault: faults.find((fault) => words.has(fault)),
    delayMs: words.get('delay') ?? 0,
    cached: words.get('cached') ?? 0,
    cacheWritten: words.get('cache-written') ?? 0,
    reasoning: words.get('reasoning') ?? 0,
  };
}
