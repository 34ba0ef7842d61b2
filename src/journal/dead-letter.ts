/** Something that could not be recorded, and why. It shows no content; `DeadLetterContent` does. */
export interface DeadLetter {
  id: number;
  /** Unix milliseconds. */
  diedAt: number;
  reason: string;
  /** Such as `HTTP 400 INVALID_PARAMETER_VALUE`; what MLflow said in words comes with the content. */
  detail: string;
  /** Of a call: who and what. Absent for a part of a post that is no call. */
  call?: { recordId: string; callId?: string; model?: string; team?: string };
  /** Of a part of a post: its length and SHA-256. */
  bytes?: number;
  sha256?: string;
}

export interface DeadLetterContent extends DeadLetter {
  /** A call's record and the text of its `call.json`, or what was kept of a part of a post. */
  content: { record?: unknown; body?: string; kept?: string };
}

/** Which dead letters are meant; all conditions that are given must hold. */
export interface DeadLetterFilter {
  ids?: number[] | undefined;
  reason?: string | undefined;
  /** Unix milliseconds; those that died then or later. */
  since?: number | undefined;
  /** The model's full name or its public one. */
  model?: string | undefined;
  /** The team's id or alias. */
  team?: string | undefined;
}
