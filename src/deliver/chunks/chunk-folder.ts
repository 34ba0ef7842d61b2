import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder in the data folder that chunks are written into on their way; what is left there from before goes. */
export async function openChunkFolder(dataFolder: string): Promise<string> {
  const folder = join(dataFolder, 'outgoing');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
