import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the source ports of outgoing connections (32768 on Linux,
 * 49152 elsewhere): so the port of a server that a test has stopped for a while stays free for it.
 */
const lowest = 20_000;
const highest = 32_000;

/** A TCP port on which nothing listens at 127.0.0.1 right now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port on 127.0.0.1 between ${lowest} and ${highest} in 200 tries.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: '127.0.0.1', port, exclusive: true });
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
