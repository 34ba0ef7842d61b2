import type { CallRecord } from '../call/call-record.ts';

/** A call's params: the model, its endpoint, and the request's parameters under their own names. */
export function paramsOf(call: CallRecord): Map<string, string> {
  const params = new Map<string, string>();
  if (call.model !== undefined) params.set('model', call.model);
  if (call.apiBase !== undefined) params.set('api_base', call.apiBase);
  for (const [name, value] of Object.entries(call.parameters)) {
    let free = name;
    while (params.has(free) || free === 'model' || free === 'api_base') free = `param.${free}`;
    params.set(free, value);
  }
  return params;
}
