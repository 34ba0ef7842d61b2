import type { OwnDatabase } from '../open-own-database.ts';
import { isDamage } from './is-damage.ts';

/**
 * Makes something on a journal that `open` opens; where that meets damage, once more on what the second
 * opening salvages.
 *
 * @throws What `make` met first. What closing meets then is no news; the folder is given up in any case.
 */
export function makeOnSound<T>(open: () => OwnDatabase, make: (own: OwnDatabase) => T): T {
  const own = open();
  try {
    return make(own);
  } catch (error) {
    if (isDamage(error)) own.noteDamage();
    closeAnyhow(own);
    if (!isDamage(error)) throw error;
  }
  return make(open());
}

function closeAnyhow(own: OwnDatabase): void {
  try {
    own.close();
  } catch {}
}
