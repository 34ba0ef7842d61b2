import { DatabaseSync } from 'node:sqlite';
import { indispensable } from '../schema.ts';

/**
 * Whether the tables and columns that a journal needs are there by name: a bit flipped in a name
 * makes another valid name.
 */
export function hasSchema(database: DatabaseSync): boolean {
  const model = new DatabaseSync(':memory:');
  model.exec(indispensable);
  const needed = columnsOf(model);
  model.close();
  const found = new Set(columnsOf(database));
  return needed.every((column) => found.has(column));
}

function columnsOf(database: DatabaseSync): string[] {
  return database
    .prepare(
      `SELECT t.name AS table_name, c.name AS column_name
       FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'`,
    )
    .all()
    .map((row) => `${row['table_name']}.${row['column_name']}`);
}
