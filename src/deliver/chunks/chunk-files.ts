import { createReadStream } from 'node:fs';
import {
  type ArchiveMember,
  type ArchivePiece,
  archiveIndex,
} from '../../record/calls/archive-index.ts';
import { chunkFileNames } from '../../record/calls/plan-chunk.ts';
import type { RunFile } from '../run-to-make.ts';
import { memberRows } from './member-rows.ts';
import type { WrittenChunk } from './write-chunk.ts';

/** A part of a file, read anew each time that it is sent. */
function contentOf(path: string, start: number, bytes: number) {
  return async () => ({
    bytes,
    open: () => createReadStream(path, { start, end: start + bytes - 1 }),
  });
}

/** `isRows`: of its one member it holds the lines without the whole calls. */
type StoredPiece = ArchivePiece & { isRows?: true };

/**
 * The files of a chunk's run: the whole calls, where they lie, and the table. A place that takes no file
 * as large gets the whole calls in several, by halves down to a gzip member; of a member that it does not
 * take, the lines without the whole calls. Where it takes nothing of that the run would keep nothing, while
 * the table holds nothing that they do not.
 *
 * @param archiveUri Where the whole calls go, if not below the run.
 */
export function chunkFiles(
  { lines, members, table }: WrittenChunk,
  archiveUri: string | undefined,
): RunFile[] {
  const pieces: StoredPiece[] = [];

  const piece = (from: number, to: number, isRows?: true): RunFile => {
    const isWhole = from === 0 && to === members.length;
    const ending = `${isWhole ? '' : `.${from}-${to - 1}`}${isRows ? '.rows' : ''}.jsonl.gz`;
    const named = (whole: string) => whole.replace(/\.jsonl\.gz$/, ending);
    const name = named(chunkFileNames.lines);
    const uri = archiveUri === undefined ? undefined : named(archiveUri);
    const start = members[from]?.offset ?? 0;
    const length = (members[to]?.offset ?? lines.bytes) - start;
    return {
      name,
      ...(uri !== undefined && { uri }),
      content: isRows
        ? () => memberRows(lines.path, { offset: start, length })
        : contentOf(lines.path, start, length),
      onStored: () => pieces.push({ file: uri ?? name, from, to, ...(isRows && { isRows }) }),
    };
  };

  const linesOf = (from: number, to: number): RunFile => {
    const middle = (from + to) >> 1;
    return to - from < 2
      ? { ...piece(from, to), instead: piece(from, to, true) }
      : { ...piece(from, to), halves: () => [linesOf(from, middle), linesOf(middle, to)] };
  };

  return [
    { ...linesOf(0, members.length), isEssential: true },
    {
      name: chunkFileNames.index,
      content: async () => Buffer.from(await indexOf(lines.path, members, pieces), 'utf8'),
    },
    { name: chunkFileNames.table, content: contentOf(table.path, 0, table.bytes) },
  ];
}

async function indexOf(
  path: string,
  members: readonly ArchiveMember[],
  pieces: readonly StoredPiece[],
): Promise<string> {
  const all = [...members];
  const places: ArchivePiece[] = [];
  for (const { isRows, ...piece } of pieces) {
    const member = isRows && members[piece.from];
    const rows = member && (await memberRows(path, member));
    if (!isRows) places.push(piece);
    // A member of its own, in a file of its own.
    if (member === undefined || rows === undefined) continue;
    places.push({ file: piece.file, from: all.length, to: all.length + 1 });
    all.push({ offset: 0, length: rows.length, ids: member.ids });
  }
  return archiveIndex(all, places);
}
