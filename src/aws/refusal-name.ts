import type { Refusal } from './authorizer.ts';

/**
 * What a refusal is called, such as `ThrottlingException`: AWS's services name it in one member of the
 * body or another, or in a header, with or without their own namespace before it and a URL behind it.
 */
export function refusalName({
  text,
  errorType,
}: Pick<Refusal, 'text' | 'errorType'>): string | undefined {
  const { error_code, __type, code, Code } = membersOf(text);
  const name = [error_code, __type, errorType, code, Code].find(
    (candidate) => typeof candidate === 'string' && candidate !== '',
  );
  return typeof name === 'string' ? name.replace(/^[\w.]*#|:.*$/gs, '').slice(0, 100) : undefined;
}

/** The members of a JSON object; of anything else there are none. */
export function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
