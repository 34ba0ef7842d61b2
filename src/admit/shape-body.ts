import { type Fields, objectIn } from '../call/fields.ts';

/**
 * The whole call as `call.json` keeps it: what was asked, what was answered, and the context, which
 * is all the rest of LiteLLM's payload.
 *
 * Left out because it repeats: `model_map_information` (the same 8 KB in every call of a model),
 * `error_str` where it is the error's message again, and the traceback, which has a file of its own.
 */
export function shapeBody(payload: Fields): Buffer {
  const { messages, model_parameters, response, model_map_information, ...rest } = payload;
  const { error_information, error_str, ...others } = rest;
  const error = objectIn(error_information);
  const { traceback, ...errorWithoutTraceback } = error;
  const context = {
    ...others,
    error_information: errorWithoutTraceback,
    error_str: error_str === error['error_message'] ? undefined : error_str,
  };
  const body = { request: { messages, model_parameters }, response, context };
  return Buffer.from(JSON.stringify(body), 'utf8');
}
