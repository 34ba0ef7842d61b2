/** The version of the tables below, kept in `PRAGMA user_version`. */
export const schemaVersion = 1;

/**
 * A call's small, often changed row lies apart from its payload, so that progress never rewrites a
 * body. `state`: 0 pending, 1 recorded, 2 dead.
 */
export const schema = `
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
