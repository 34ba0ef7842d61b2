import type { Failure, TraceDeliveryParts } from './trace-parts.ts';

/**
 * Whether a server refuses what is about traces, and answers what else it is asked: so it may be for good.
 * Where traces are wanted in any case, a permission is waited for.
 */
export async function isRefusedAlone(
  { mlflow, wish }: Pick<TraceDeliveryParts, 'mlflow' | 'wish'>,
  failure: Failure,
): Promise<boolean> {
  if (failure.kind !== 'hold') return false;
  const isRefusal =
    failure.reason === 'unsupported' ||
    (wish === 'auto' && /^(forbidden|unauthorized)$/.test(failure.reason));
  return isRefusal && (await mlflow.serves()).kind === 'done';
}
