/**
 * Which trouble of the database stands behind a `BAD_REQUEST`; `undefined` where there is none, or
 * where it can only be the values' own fault.
 *
 * - `passing`: no connection, a lock, a failover. It says nothing of the call, however often it comes.
 * - `conflict`: two requests that met; a call that meets it always may be at fault itself.
 *
 * MLflow gives that code to whatever its driver throws (read in `store/db/utils.py` of 3.17). Behind
 * what the driver says stand the statement and its parameters: texts of the call, which may say
 * anything.
 */
export function databaseTrouble(message: string): 'passing' | 'conflict' | undefined {
  const [said = ''] = message.split(/\n(?:DETAIL|\[SQL|\[parameters)/, 1);
  if (!fromDatabase.test(said) || fromValues.test(said)) return undefined;
  return conflict.test(said) ? 'conflict' : 'passing';
}

const fromDatabase =
  /\((psycopg2?|pymysql|MySQLdb|mysql|sqlite3|pyodbc|sqlalchemy)\b|QueuePool limit|UniqueViolation|UNIQUE constraint|is locked|deadlock|invalid transaction/i;
const fromValues =
  /DataError|StringDataRightTruncation|value too long|out of range|NOT NULL constraint|NotNullViolation|CHECK constraint|CheckViolation|invalid byte sequence|UntranslatableCharacter/i;
const conflict = /UniqueViolation|UNIQUE constraint|IntegrityError|ForeignKeyViolation/i;
