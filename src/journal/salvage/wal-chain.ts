import { readSync } from 'node:fs';

/**
 * The frames of a write-ahead log, as https://www.sqlite.org/fileformat2.html#walformat has them.
 * Offsets and lengths in bytes, from the beginning of the file.
 */
export interface WalChain {
  /** Where the last commit ends whose frames are all sound: SQLite reads up to here. */
  committedEnd: number;
  /**
   * Frames of the same generation behind a frame that is not sound, at least one of which ends a
   * commit: SQLite would drop them without a word. `end` is behind the last frame of the generation.
   */
  cutOff?: { start: number; end: number; frames: number };
}

const headerLength = 32;
const frameHeaderLength = 24;
const littleEndian = 0x377f0682;
const bigEndian = 0x377f0683;
/** Of every journal's pages: what SQLite makes them unless told. */
const ordinaryPage = 4096;

interface Header {
  sound: boolean;
  pageSize: number;
  salt: Buffer;
  sums: Sums;
  swap: boolean;
}

type Sums = [number, number];

/**
 * Walks the chain of a log of `size` bytes, a frame in memory at a time.
 *
 * What stands behind the last sound commit is ordinary as long as no commit ends in it: frames of an
 * older generation, which a log that begins again overwrites from the front; and the pieces of a
 * commit that a kill or a power cut ended, which nobody was told of. Where a commit does end behind
 * a frame that is not sound, it was most probably acknowledged.
 */
export function walkWal(file: number, size: number): WalChain {
  if (size < headerLength + frameHeaderLength) return { committedEnd: 0 };
  const header = readHeader(file);
  const { pageSize, salt } = header;
  const frame = Buffer.alloc(frameHeaderLength + pageSize);
  let sums: Sums | undefined = header.sound ? header.sums : undefined;
  let committedEnd = header.sound ? headerLength : 0;
  let lastOfGeneration = 0;
  let isCommitCutOff = false;

  for (let at = headerLength; at + frame.length <= size; at += frame.length) {
    readSync(file, frame, 0, frame.length, at);
    const end = at + frame.length;
    const isCommit = frame.readUInt32BE(4) !== 0;
    const isOurs = frame.subarray(8, 16).equals(salt);
    if (isOurs) lastOfGeneration = end;
    const expected =
      sums &&
      sum(frame.subarray(frameHeaderLength), sum(frame.subarray(0, 8), sums, header), header);
    if (isOurs && expected !== undefined && carries(frame, expected)) {
      sums = expected;
      if (isCommit) committedEnd = end;
      continue;
    }
    // The frame that breaks the chain may be the end of the commit that a kill cut short.
    if (sums === undefined && isOurs && isCommit) isCommitCutOff = true;
    sums = undefined;
  }
  if (!isCommitCutOff) return { committedEnd };
  const start = committedEnd;
  const frames = Math.ceil((lastOfGeneration - Math.max(start, headerLength)) / frame.length);
  return { committedEnd, cutOff: { start, end: lastOfGeneration, frames } };
}

function carries(frame: Buffer, [first, second]: Sums): boolean {
  return frame.readUInt32BE(16) === first && frame.readUInt32BE(20) === second;
}

function readHeader(file: number): Header {
  const bytes = Buffer.alloc(headerLength + frameHeaderLength);
  readSync(file, bytes, 0, bytes.length, 0);
  const magic = bytes.readUInt32BE(0);
  const swap = magic === littleEndian;
  const pageSize = bytes.readUInt32BE(8);
  const sums = sum(bytes.subarray(0, 24), [0, 0], { swap });
  const sound =
    (swap || magic === bigEndian) &&
    sums[0] === bytes.readUInt32BE(24) &&
    sums[1] === bytes.readUInt32BE(28);
  if (sound) return { sound, pageSize, salt: bytes.subarray(16, 24), sums, swap };
  // Which generation it is, the first frame still tells.
  const salt = bytes.subarray(headerLength + 8, headerLength + 16);
  return { sound, pageSize: ordinaryPage, salt, sums, swap };
}

/** The checksum of SQLite's log; `swap`: its words are little-endian. */
function sum(bytes: Buffer, [first, second]: Sums, { swap }: { swap: boolean }): Sums {
  let s0 = first;
  let s1 = second;
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + (swap ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)) + s1) >>> 0;
    s1 = (s1 + (swap ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)) + s0) >>> 0;
  }
  return [s0, s1];
}
