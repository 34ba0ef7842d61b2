/**
 * A call's small, often changed row lies apart from its payload, so that progress never rewrites a
 * body. `state`: see `call-state.ts`.
 */
const calls = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  record_id   BLOB    NOT NULL UNIQUE,
  state       INTEGER NOT NULL DEFAULT 0,
  failed      INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  settled_at  INTEGER,
  experiment  TEXT    NOT NULL,
  progress    TEXT
) STRICT;
CREATE INDEX calls_due ON calls (due_at, seq) WHERE state = 0;
CREATE INDEX calls_received ON calls (received_at) WHERE state = 0;
CREATE INDEX calls_settled ON calls (settled_at) WHERE state = 1;

CREATE TABLE payloads (
  seq        INTEGER PRIMARY KEY,
  record     TEXT    NOT NULL,
  record_crc INTEGER NOT NULL,
  body       BLOB,
  body_crc   INTEGER
) STRICT;

CREATE TABLE ledger (name TEXT PRIMARY KEY, calls INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE experiments (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  died_at INTEGER NOT NULL,
  reason  TEXT    NOT NULL,
  detail  TEXT    NOT NULL,
  seq     INTEGER,
  bytes   INTEGER,
  sha256  TEXT,
  kept    BLOB
) STRICT;

CREATE TABLE seen_buckets (bucket INTEGER PRIMARY KEY, began_at INTEGER NOT NULL, entries INTEGER NOT NULL) STRICT;
`;

/**
 * What calls add up to in each interval, for all of them (`series` is empty) and for each model, team
 * and so on. Sums are REAL: none is too large for its column or for JavaScript. `latencies` and
 * `first_tokens` count calls by bins of about the same length. A failure is remembered by its call's
 * id, until that call succeeds or is forgotten.
 *
 * Of a day, what has been reported is closed for calls to come. Its runs, by series, have been sent
 * what came until `sent_until`.
 */
const usage = `
CREATE TABLE usage (
  began_at                INTEGER NOT NULL,
  series                  TEXT    NOT NULL,
  attempts                REAL    NOT NULL,
  failures                REAL    NOT NULL,
  recovered               REAL    NOT NULL,
  cache_hits              REAL    NOT NULL,
  prompt_tokens           REAL    NOT NULL,
  completion_tokens       REAL    NOT NULL,
  total_tokens            REAL    NOT NULL,
  cache_read_input_tokens REAL    NOT NULL,
  cost_usd                REAL    NOT NULL,
  saved_cost_usd          REAL    NOT NULL,
  unpriced                REAL    NOT NULL,
  latency_ms_sum          REAL    NOT NULL,
  latency_ms_max          REAL    NOT NULL,
  latencies               TEXT    NOT NULL,
  first_tokens            TEXT    NOT NULL,
  PRIMARY KEY (began_at, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_series ON usage (series, began_at);

CREATE TABLE usage_names (series TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE usage_days (day TEXT PRIMARY KEY, closed_until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE usage_runs (
  day         TEXT    NOT NULL,
  series      TEXT    NOT NULL,
  destination TEXT    NOT NULL,
  run_id      TEXT,
  begun_at    INTEGER,
  sent_until  INTEGER NOT NULL,
  ended       INTEGER NOT NULL,
  PRIMARY KEY (day, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE failed_calls (call_id TEXT PRIMARY KEY, failed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX failed_calls_age ON failed_calls (failed_at);
`;

/**
 * Beside its run, a call may want a place in a chunk and a trace. Runs go by lanes, the lowest first. A
 * chunk without `closed_at` is open: calls that come are its own.
 */
const chunksAndTraces = `
ALTER TABLE calls ADD COLUMN lane INTEGER NOT NULL DEFAULT 2;
ALTER TABLE calls ADD COLUMN sample_rate REAL;
ALTER TABLE calls ADD COLUMN wants INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN chunk INTEGER;
ALTER TABLE calls ADD COLUMN trace_begun INTEGER;
DROP INDEX calls_due;
CREATE INDEX calls_due ON calls (lane, due_at, seq) WHERE state = 0;
DROP INDEX calls_received;
CREATE INDEX calls_pending ON calls (state, received_at) WHERE state IN (0, 3);
CREATE INDEX calls_chunk ON calls (chunk, seq) WHERE wants & 1;
CREATE INDEX calls_trace ON calls (seq) WHERE wants & 2;

CREATE TABLE chunks (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  began_at  INTEGER NOT NULL,
  ended_at  INTEGER NOT NULL,
  closed_at INTEGER,
  calls     INTEGER NOT NULL,
  bytes     INTEGER NOT NULL,
  due_at    INTEGER NOT NULL,
  attempts  INTEGER NOT NULL DEFAULT 0,
  progress  TEXT,
  ended     INTEGER NOT NULL DEFAULT 0
) STRICT;
`;

/**
 * What makes a journal of each version from one of the version before. SQLite keeps the text on the
 * first page, which a salvage restores as a whole: so it has to fit there, without its indentation.
 */
export const migrations: readonly string[] = [calls, usage, chunksAndTraces].map((sql) =>
  sql.replace(/\s+/g, ' ').replace(/ ?([(),;]) ?/g, '$1'),
);

/** The version of the tables, kept in `PRAGMA user_version`. */
export const schemaVersion = migrations.length;

export const wholeSchema = migrations.join('');

/** Without these tables there is no journal; those of later versions may be missing in an older one. */
export const indispensable: string = calls;
