import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the test's own, which goes when the test ends. */
export function tempFolder(t: { after(end: () => void): unknown }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidecar-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
