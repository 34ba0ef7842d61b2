/** The last message of a chat, or the input of an embedding; parts of a message are joined. */
export function lastText(body: Readonly<Record<string, unknown>>): string {
  const input = body['input'];
  if (typeof input === 'string') return input;
  if (Array.isArray(input)) return input.map(String).join(' ');
  const content = recordOf(listOf(body['messages']).at(-1))['content'];
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => String(recordOf(part)['text'] ?? ''))
    .join(' ');
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An empty one for whatever is no object. */
export function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value));
}
