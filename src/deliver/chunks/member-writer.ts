import { type FileHandle, open } from 'node:fs/promises';
import { createGzip, type Gzip } from 'node:zlib';

/**
 * Writes a file of gzip members, each of which can be decoded by itself, as all of them can together.
 * What is given is read before a promise resolves, and is the caller's again.
 */
export interface MemberWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes of the member so far, before they were compressed. */
  size(): number;
  /** Ends the member, where one has begun; the next write begins another. */
  endMember(): Promise<{ offset: number; length: number } | undefined>;
  /** Ends it all; the file is whole where no member is open. */
  close(): Promise<void>;
}

/** Makes the file, for its owner alone. Compression is done by Node's own threads. */
export async function createMemberWriter(path: string): Promise<MemberWriter> {
  const file = await open(path, 'wx', 0o600);
  let length = 0;
  let member: Member | undefined;

  return {
    write: async (bytes) => {
      member ??= beginMember(file);
      await member.write(bytes);
    },
    size: () => member?.size() ?? 0,
    endMember: async () => {
      if (member === undefined) return undefined;
      const ended = { offset: length, length: await member.end() };
      length += ended.length;
      member = undefined;
      return ended;
    },
    close: async () => {
      member?.abandon();
      await file.close();
    },
  };
}

interface Member {
  write(bytes: Uint8Array): Promise<void>;
  size(): number;
  /** Resolves with the bytes that it takes in the file. */
  end(): Promise<number>;
  abandon(): void;
}

function beginMember(file: FileHandle): Member {
  const gzip = createGzip();
  let size = 0;
  const written = copy(gzip, file);
  // Told where it is waited for; a failure between is no reason for the process to end.
  written.catch(() => undefined);
  return {
    write: async (bytes) => {
      size += bytes.length;
      const read = new Promise<void>((resolve, reject) => {
        gzip.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
      // A file that cannot be written to any more takes nothing from the compression, which then stands.
      await Promise.race([read, written]);
    },
    size: () => size,
    end: () => {
      gzip.end();
      return written;
    },
    abandon: () => {
      gzip.destroy();
    },
  };
}

/** Copies to the file what comes out; resolves with how much that was. */
async function copy(gzip: Gzip, file: FileHandle): Promise<number> {
  let length = 0;
  for await (const bytes of gzip) {
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten !== bytes.length) await file.appendFile(bytes.subarray(bytesWritten));
    length += bytes.length;
  }
  return length;
}
