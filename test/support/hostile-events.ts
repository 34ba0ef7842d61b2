import fc from 'fast-check';
import { anyText } from './any-call.ts';
import { litellmEvent } from './litellm-event.ts';

/** What Python writes for numbers, as it stands in the body; no number of JavaScript's can say it. */
const bareNumbers = ['NaN', '-Infinity', '1e400', '-0.0', '9'.repeat(400), '1e-400', '2.5'];
const inPlaceOfNumber = '@number@';

/**
 * A body of `count` calls, `call-1` and so on, whose every text is by chance what databases, JSON and
 * Unicode choke on, and whose numbers are out of every range.
 */
export function hostileBody(count: number): string {
  const text = anyText;
  const hostile = fc.record({
    model: text,
    model_group: text,
    custom_llm_provider: text,
    api_base: text,
    call_type: text,
    session_id: text,
    id: text,
    end_user: text,
    request_tags: fc.array(text, { maxLength: 5 }),
    model_parameters: fc.dictionary(text, text, { maxKeys: 8 }),
    metadata: fc.record({
      user_api_key_user_id: text,
      user_api_key_team_id: text,
      user_api_key_team_alias: text,
      user_api_key_alias: text,
      user_api_key_org_id: text,
    }),
    messages: fc.array(fc.record({ role: fc.constant('user'), content: text }), { maxLength: 2 }),
    error_str: text,
    error_information: fc.record({ error_message: text, error_class: text, traceback: text }),
    status: fc.constantFrom('success', 'failure'),
    response_cost: fc.constant(inPlaceOfNumber),
    total_tokens: fc.constant(inPlaceOfNumber),
    completionStartTime: fc.constant(inPlaceOfNumber),
  });
  const events = fc
    .sample(hostile, count)
    .map((changes, index) => litellmEvent(index + 1, changes));
  let numbers = 0;
  return JSON.stringify(events).replaceAll(`"${inPlaceOfNumber}"`, () => {
    numbers += 1;
    return bareNumbers[numbers % bareNumbers.length] ?? '0';
  });
}
