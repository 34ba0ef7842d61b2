import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Holds V8 to the memory that is in use. Left alone it lets garbage grow to 200 MB before it collects
 * any, whatever the load: a drain makes much of it, and keeps little. So the old generation grows by
 * small steps only, and the young one not at all. Measured, reading a post takes half as much processor
 * time again (16 instead of 11 ms for 100 calls), and delivery is as fast as before.
 *
 * V8 measures its steps from what the last full collection left, and there is none for a while: so
 * this belongs where all is loaded, and makes one.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect();
}
