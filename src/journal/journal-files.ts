/** The files of a journal, within the data folder. */
export const databaseFile = 'journal.db';
export const walFile = `${databaseFile}-wal`;
