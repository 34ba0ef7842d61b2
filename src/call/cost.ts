import type { CallCost } from './call-record.ts';
import { type Fields, given, numberIn, objectIn } from './fields.ts';

/**
 * What LiteLLM says a call cost and what its cache saved.
 *
 * `response_cost` is 0 for a failure, for a cache hit and for a model without a price alike. A hit
 * did cost nothing; for the others a zero means "not known" unless LiteLLM's model map has a price.
 */
export function costOf(payload: Fields, cacheHit: boolean): CallCost {
  const cost: CallCost = {};
  const usd = numberIn(payload['response_cost']);
  if (usd !== undefined && (usd > 0 || (usd === 0 && (cacheHit || freeThoughPriced(payload))))) {
    cost.usd = usd;
    const { input_cost: input, output_cost: output } = objectIn(payload['cost_breakdown']);
    Object.assign(cost, given({ inputUsd: numberIn(input), outputUsd: numberIn(output) }));
  }
  const saved = numberIn(payload['saved_cache_cost']);
  if (cacheHit && saved !== undefined && saved > 0) cost.savedUsd = saved;
  return cost;
}

function freeThoughPriced(payload: Fields): boolean {
  if (payload['status'] !== 'success') return false;
  const map = objectIn(objectIn(payload['model_map_information'])['model_map_value']);
  return Object.entries(map).some(
    ([name, price]) => name.includes('cost') && typeof price === 'number' && price > 0,
  );
}
