import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the test's own, which goes when the test ends; in `TEST_FOLDERS` where that is set. */
export function tempFolder(t: { after(end: () => void): unknown }): string {
  const folder = mkdtempSync(join(process.env['TEST_FOLDERS'] ?? tmpdir(), 'sidecar-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
