/** A gzip member of the archive: it can be fetched by its range, and decoded by itself. */
export interface ArchiveMember {
  /** Bytes from the beginning of the file, and of its length. */
  offset: number;
  length: number;
  /** The record ids of its calls, in the order of their lines. */
  ids: string[];
}

/** A file that holds the members from `from` to before `to`. */
export interface ArchivePiece {
  /** Its name beside the index, or the S3 URI where it lies. */
  file: string;
  from: number;
  to: number;
}

/** The text of `calls.index.json`: each member, with the file that holds it and its range there. */
export function archiveIndex(
  members: readonly ArchiveMember[],
  pieces: readonly ArchivePiece[],
): string {
  const entries = pieces.flatMap(({ file, from, to }) => {
    const start = members[from]?.offset ?? 0;
    return members
      .slice(from, to)
      .map(({ offset, length, ids }) => ({ file, offset: offset - start, length, ids }));
  });
  return `[${entries.map((entry) => `\n${JSON.stringify(entry)}`).join(',')}\n]\n`;
}
