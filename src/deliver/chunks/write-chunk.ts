import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChunkedCall, ChunkJournal, PendingChunk } from '../../journal/detail.ts';
import type { ArchiveMember } from '../../record/calls/archive-index.ts';
import { archiveLine } from '../../record/calls/archive-line.ts';
import { type ChunkSums, withCall } from '../../record/calls/chunk-sums.ts';
import { type CallEntry, cellsOf } from '../../record/calls/columns.ts';
import { largestPreviewed, previewsOf } from '../../record/calls/previews.ts';
import { tableHead, tableRow, tableTail } from '../../record/calls/table.ts';
import type { BodyPlace, BodyRoom } from '../body-room.ts';
import type { UntilKept } from '../until-kept.ts';
import { createMemberWriter, type MemberWriter } from './member-writer.ts';

export interface ChunkWriterParts {
  journal: Pick<ChunkJournal, 'chunkPage'>;
  /** The bytes of a call's `call.json`, in `place` where there is one. */
  body: (seq: number, place?: BodyPlace) => Promise<Uint8Array | undefined>;
  bodyRoom: BodyRoom;
  untilKept: UntilKept;
  /** A folder of its own; see `openChunkFolder`. */
  folder: string;
  /** Whether the beginnings of what was asked and answered are columns. */
  previews: () => boolean;
}

/** A chunk as files on this disk, from which it is sent. */
export interface WrittenChunk {
  sums: ChunkSums;
  members: readonly ArchiveMember[];
  /** The whole calls, a line each, in gzip members. */
  lines: WrittenFile;
  table: WrittenFile;
  remove(): Promise<void>;
}

export interface WrittenFile {
  path: string;
  bytes: number;
}

/**
 * A member ends with this many calls, and before these bytes (of the bodies, as they are before they are
 * compressed): one of several calls is taken by any place that takes a megabyte, which is nginx's limit
 * unless told, and a call that is larger stands alone.
 */
const callsAMember = 64;
const bytesAMember = 1024 * 1024;

/**
 * Writes a chunk's table and its whole calls into files, call by call: what is in memory at once is a
 * page of the journal, and one large body in the room for bodies.
 *
 * @throws The file system's error where the disk takes no more; then no file is left.
 */
export async function writeChunk(
  parts: ChunkWriterParts,
  chunk: Pick<PendingChunk, 'id'>,
): Promise<WrittenChunk> {
  const [linesPath, tablePath] = ['jsonl.gz', 'json'].map((ending) =>
    join(parts.folder, `${chunk.id}.${ending}`),
  ) as [string, string];
  const remove = async () => {
    await Promise.all([linesPath, tablePath].map((path) => rm(path, { force: true })));
  };
  await remove();
  try {
    const written = await writeFiles(parts, chunk.id, { linesPath, tablePath });
    const [lines, table] = await Promise.all([writtenFile(linesPath), writtenFile(tablePath)]);
    return { ...written, lines, table, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writtenFile(path: string): Promise<WrittenFile> {
  return { path, bytes: (await stat(path)).size };
}

async function writeFiles(
  parts: ChunkWriterParts,
  chunk: number,
  { linesPath, tablePath }: { linesPath: string; tablePath: string },
): Promise<Pick<WrittenChunk, 'sums' | 'members'>> {
  const withPreviews = parts.previews();
  const lines = await createMemberWriter(linesPath);
  try {
    await using table = await open(tablePath, 'wx', 0o600);
    await table.appendFile(tableHead(withPreviews));
    const members: ArchiveMember[] = [];
    let sums: ChunkSums = { calls: 0, failures: 0 };
    let ids: string[] = [];
    const endMember = async () => {
      const range = await lines.endMember();
      if (range !== undefined) members.push({ ...range, ids });
      ids = [];
    };

    for (let after = -1; ; ) {
      const page = await parts.untilKept(() => parts.journal.chunkPage(chunk, after));
      if (page.length === 0) break;
      let rows = '';
      for (const call of page) {
        if (lines.size() + call.bodyBytes > bytesAMember) await endMember();
        const cells = await writeCall(parts, lines, call, withPreviews);
        rows += tableRow(cells, { withPreviews, isFirst: sums.calls === 0 });
        sums = withCall(sums, call.record);
        ids.push(call.record.recordId);
        if (ids.length === callsAMember) await endMember();
        after = call.seq;
      }
      await table.appendFile(rows);
    }
    await endMember();
    await table.appendFile(tableTail);
    return { sums, members };
  } finally {
    await lines.close();
  }
}

/** Writes the line of a call; returns its cells. */
async function writeCall(
  parts: ChunkWriterParts,
  lines: MemberWriter,
  call: ChunkedCall,
  withPreviews: boolean,
) {
  const write = async (body: Uint8Array | undefined) => {
    const cells = cellsOf(entryOf(call, withPreviews ? body : undefined));
    const { head, tail } = archiveLine(cells, { withPreviews, hasBody: body !== undefined });
    if (body === undefined || body === call.body) {
      await lines.write(Buffer.concat([Buffer.from(head), body ?? empty, Buffer.from(tail)]));
    } else {
      for (const piece of [Buffer.from(head), body, Buffer.from(tail)]) await lines.write(piece);
    }
    return cells;
  };
  if (call.body !== undefined || call.bodyBytes === 0) return write(call.body);
  return parts.bodyRoom.within(call.bodyBytes, async (place) =>
    write(await parts.body(call.seq, place)),
  );
}

const empty = Buffer.alloc(0);

function entryOf(call: ChunkedCall, previewed: Uint8Array | undefined): CallEntry {
  const { record, runId, sampleRate } = call;
  const hasPreviews = previewed !== undefined && previewed.length <= largestPreviewed;
  return {
    record,
    isTraced: call.isTraced === true,
    ...(runId !== undefined && { runId }),
    ...(sampleRate !== undefined && { sampleRate }),
    ...(hasPreviews && { previews: previewsOf(previewed) }),
  };
}
