import { DatabaseSync } from 'node:sqlite';

/**
 * Whether the tables and columns of `schema` are there by name: a bit flipped in a name makes another
 * valid name.
 */
export function hasSchema(database: DatabaseSync, schema: string): boolean {
  const model = new DatabaseSync(':memory:');
  model.exec(schema);
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
