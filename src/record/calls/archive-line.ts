import { type Cell, type ColumnName, columnNames } from './columns.ts';

/** What stands before a call's `call.json` in its line of the archive, and behind it. */
export interface ArchiveLine {
  head: string;
  tail: string;
}

/**
 * A call's line: the columns of the table under their names, and as `call` the bytes of its `call.json`
 * as they are, which are one line of JSON already; `null` where there are none.
 */
export function archiveLine(
  cells: Record<ColumnName, Cell>,
  { withPreviews, hasBody }: { withPreviews: boolean; hasBody: boolean },
): ArchiveLine {
  const named = Object.fromEntries(columnNames(withPreviews).map((name) => [name, cells[name]]));
  const fields = JSON.stringify(named).slice(0, -1);
  return { head: `${fields},"call":`, tail: hasBody ? '}\n' : 'null}\n' };
}
