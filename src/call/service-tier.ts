import { type Fields, objectIn, textIn } from './fields.ts';

/**
 * The class of service that a call was served by: as the answer says (OpenAI beside the usage, Anthropic
 * in it), else as LiteLLM took it for the price. What the request asked for, such as `auto`, is no answer.
 */
export function serviceTierOf(payload: Fields): string | undefined {
  const response = objectIn(payload['response']);
  return (
    textIn(response['service_tier']) ??
    textIn(objectIn(response['usage'])['service_tier']) ??
    textIn(objectIn(payload['cost_breakdown'])['service_tier'])
  );
}
