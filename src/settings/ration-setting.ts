import type { Settings } from './schema.ts';

/**
 * The most requests a second that the settings allow this sidecar; absent where nothing bounds them.
 *
 * @param borne What the server bears, in requests a second; absent where that is not known.
 */
export function rationSetting(
  { requestsPerSecond, share, replicas }: Settings['destination'],
  borne: number | undefined,
): number | undefined {
  return requestsPerSecond ?? (borne && (borne * share) / replicas);
}
