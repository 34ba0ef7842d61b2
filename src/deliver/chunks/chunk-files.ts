import { createReadStream } from 'node:fs';
import { type ArchivePiece, archiveIndex } from '../../record/calls/archive-index.ts';
import { chunkFileNames } from '../../record/calls/plan-chunk.ts';
import type { RunFile } from '../run-to-make.ts';
import type { WrittenChunk } from './write-chunk.ts';

/** A part of a file, read anew each time that it is sent. */
function contentOf(path: string, start: number, bytes: number) {
  return async () => ({
    bytes,
    open: () => createReadStream(path, { start, end: start + bytes - 1 }),
  });
}

/**
 * The files of a chunk's run: the whole calls, where they lie, and the table. A place that takes no file
 * as large gets the whole calls in several, by halves down to a gzip member; without them the run would
 * keep nothing, while the table holds nothing that they do not.
 *
 * @param archiveUri Where the whole calls go, if not below the run.
 */
export function chunkFiles(
  { lines, members, table }: WrittenChunk,
  archiveUri: string | undefined,
): RunFile[] {
  const pieces: ArchivePiece[] = [];

  const linesOf = (from: number, to: number): RunFile => {
    const isWhole = from === 0 && to === members.length;
    const named = (whole: string) =>
      isWhole ? whole : whole.replace(/\.jsonl\.gz$/, `.${from}-${to - 1}.jsonl.gz`);
    const name = named(chunkFileNames.lines);
    const uri = archiveUri === undefined ? undefined : named(archiveUri);
    const start = members[from]?.offset ?? 0;
    const end = members[to]?.offset ?? lines.bytes;
    const middle = (from + to) >> 1;
    return {
      name,
      ...(uri !== undefined && { uri }),
      content: contentOf(lines.path, start, end - start),
      isEssential: true,
      halves: () => (to - from < 2 ? undefined : [linesOf(from, middle), linesOf(middle, to)]),
      onStored: () => pieces.push({ file: uri ?? name, from, to }),
    };
  };

  return [
    linesOf(0, members.length),
    {
      name: chunkFileNames.index,
      content: async () => Buffer.from(archiveIndex(members, pieces), 'utf8'),
    },
    { name: chunkFileNames.table, content: contentOf(table.path, 0, table.bytes) },
  ];
}
