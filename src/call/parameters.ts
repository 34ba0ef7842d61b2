import { beginningOf, type Fields, objectIn } from './fields.ts';

/** The most parameters of a call that are kept, and how much of each; the body has them whole. */
const most = 80;
const longest = 6000;

/** LiteLLM's `model_parameters` as text, under their own names: JSON for what is no text itself. */
export function parametersOf(payload: Fields): Record<string, string> {
  const given = Object.entries(objectIn(payload['model_parameters'])).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(
    given.slice(0, most).map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return [name, beginningOf(text, longest)];
    }),
  );
}
