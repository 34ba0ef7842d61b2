/** What start-up found damaged in the journal, what of it is missing, and where its bytes are now. */
export interface Damage {
  /** Of the write-ahead log: commits that could not be read any more. */
  log?: { frames: number; bytes: number };
  /** Of the database, which was made anew from what could be read. */
  database?: {
    /** How it showed. */
    reason: string;
    /** Bytes of the damaged file. */
    bytes: number;
    /** Calls that were copied, recorded ones that are kept for replay included. */
    calls: number;
    /** Pending calls that are lost, as far as it is known. */
    lost: number;
    /** Calls that are there, but without their body. */
    bodiesLost: number;
  };
  /** Of the account alone, which did not add up: pending calls that are not there. */
  account?: { lost: number };
  /** Paths of what was set aside. A person may look into it, and delete it. */
  setAside: string[];
}
