import { type Cell, type ColumnName, columnNames } from './columns.ts';

/*
 * MLflow's table: a JSON object of columns and rows, written piece by piece. `load_table` reads it, and
 * the UI shows it.
 */

/** What the table begins with. */
export function tableHead(withPreviews: boolean): string {
  return `{"columns":${JSON.stringify(columnNames(withPreviews))},"data":[`;
}

/** What it ends with. */
export const tableTail = '\n]}\n';

/** A row, with what parts it from the one before. */
export function tableRow(
  cells: Record<ColumnName, Cell>,
  { withPreviews, isFirst }: { withPreviews: boolean; isFirst: boolean },
): string {
  const row = columnNames(withPreviews).map((name) => cells[name]);
  return `${isFirst ? '' : ','}\n${JSON.stringify(row)}`;
}
