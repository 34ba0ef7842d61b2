import type { Edit } from './edit.ts';

/** Something in LiteLLM's configuration by which calls are lost, or which is not what it looks like. */
export interface Finding {
  /** A stable name, for programs. */
  code: string;
  /** `fault`: something will go wrong. `hint`: it may be meant so. */
  kind: 'fault' | 'hint';
  /** Where: a path in the file. */
  path: string;
  /** What is so, and what comes of it. */
  says: string;
  /** What mends it; without, it is for a person to do. */
  edits: readonly Edit[];
  /** What that person should do. */
  advice?: string;
}

/** Something that edits mend. */
export function mendable(
  code: string,
  path: string,
  says: string,
  ...edits: readonly Edit[]
): Finding {
  return { code, kind: 'fault', path, says, edits };
}

/** Something that a person has to decide on. */
export function byHand(
  kind: Finding['kind'],
  code: string,
  path: string,
  says: string,
  advice: string,
): Finding {
  return { code, kind, path, says, edits: [], advice };
}
