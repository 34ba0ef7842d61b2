/**
 * A call's small, often changed row lies apart from its payload, so that progress never rewrites a
 * body. `state`: 0 pending, 1 recorded, 2 dead.
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
 * and so on. `bin` counts latencies of about the same length. A failure is remembered by its call's id,
 * until that call succeeds or is forgotten.
 */
const usage = `
CREATE TABLE usage (
  began_at                INTEGER NOT NULL,
  series                  TEXT    NOT NULL,
  attempts                INTEGER NOT NULL,
  failures                INTEGER NOT NULL,
  recovered               INTEGER NOT NULL,
  cache_hits              INTEGER NOT NULL,
  prompt_tokens           INTEGER NOT NULL,
  completion_tokens       INTEGER NOT NULL,
  total_tokens            INTEGER NOT NULL,
  cache_read_input_tokens INTEGER NOT NULL,
  cost_usd                REAL    NOT NULL,
  saved_cost_usd          REAL    NOT NULL,
  unpriced                INTEGER NOT NULL,
  latency_calls           INTEGER NOT NULL,
  latency_ms_sum          REAL    NOT NULL,
  latency_ms_max          REAL    NOT NULL,
  PRIMARY KEY (began_at, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_latencies (
  began_at INTEGER NOT NULL,
  series   TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  bin      INTEGER NOT NULL,
  calls    INTEGER NOT NULL,
  PRIMARY KEY (began_at, series, kind, bin)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_names (series TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE usage_runs (
  day           TEXT NOT NULL,
  series        TEXT NOT NULL,
  destination   TEXT NOT NULL,
  experiment_id TEXT NOT NULL,
  run_id        TEXT,
  begun_at      INTEGER,
  sent_until    INTEGER NOT NULL,
  PRIMARY KEY (day, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE failed_calls (call_id BLOB PRIMARY KEY, failed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX failed_calls_age ON failed_calls (failed_at);
`;

/** What makes a journal of each version from one of the version before. */
export const migrations: readonly string[] = [calls, usage];

/** The version of the tables, kept in `PRAGMA user_version`. */
export const schemaVersion = migrations.length;

/** Without these tables there is no journal; those of later versions may be missing in an older one. */
export const indispensable = calls;
