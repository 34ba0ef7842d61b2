import type { UpstreamUsage } from './upstream-record.ts';
import type { UpstreamWish } from './upstream-wish.ts';

const sentences = [
  'The quick brown fox jumps over the lazy dog.',
  'A tracking server remembers what the proxy forgets.',
  'Forty-two, as everybody expected.',
  'It depends on the weather, the wind and the coffee.',
  'Two plus two is four, in every base above four.',
];

/** An answer made of the prompt alone, so that the same prompt gets the same one. */
export function answerTo(prompt: string): string {
  const seed = seedOf(prompt);
  const count = 1 + (seed % 4);
  const parts: string[] = [];
  for (let index = 0; index < count; index += 1) {
    parts.push(sentences[(seed + index) % sentences.length] ?? '');
  }
  return parts.join(' ');
}

/** Token counts that differ from prompt to prompt, and follow from the prompt and the answer alone. */
export function usageOf(prompt: string, answer: string, wish: UpstreamWish): UpstreamUsage {
  const spread = seedOf(prompt) % 17;
  return {
    promptTokens: 8 + Math.ceil(prompt.length / 4) + spread + wish.cached + wish.cacheWritten,
    completionTokens: (answer === '' ? 0 : answer.split(' ').length) + wish.reasoning,
    cachedTokens: wish.cached,
    cacheWrittenTokens: wish.cacheWritten,
    reasoningTokens: wish.reasoning,
  };
}

function seedOf(text: string): number {
  let seed = 7;
  for (const character of text) seed = (seed * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return seed;
}
