import type { ChunkedCall, ChunkJournal, PendingChunk } from '../../src/journal/detail.ts';
import { JournalError, type Progress } from '../../src/journal/journal.ts';

/** Chunks and their calls as a journal keeps them on disk, in memory. */
export interface MemoryChunks {
  /** The journal to somebody who may be killed: then nothing more that he asks has an effect. */
  open(): {
    journal: ChunkJournal;
    body: (seq: number) => Promise<Uint8Array | undefined>;
    kill: () => void;
  };
  /** How each chunk ended, by its id; one that has not is not there. */
  ended: Map<number, 'kept' | 'given up'>;
  progressOf(id: number): Progress | undefined;
}

export interface MemoryCall extends Omit<ChunkedCall, 'body' | 'bodyBytes'> {
  content?: Uint8Array | undefined;
}

/** Bodies of more than this are asked for one by one. */
const inlineBytes = 4_096;
const pageLength = 100;

export function memoryChunks(
  chunks: readonly { id: number; calls: readonly MemoryCall[]; isOpen?: true }[],
): MemoryChunks {
  const kept = new Map<number, { dueAt: number; attempts: number; progress?: Progress }>(
    chunks.map(({ id }) => [id, { dueAt: 0, attempts: 0 }]),
  );
  const open = new Set(chunks.filter(({ isOpen }) => isOpen).map(({ id }) => id));
  const ended: MemoryChunks['ended'] = new Map();
  const stateOf = (id: number) => {
    const state = kept.get(id);
    if (state === undefined) throw new Error(`there is no chunk ${id}`);
    return state;
  };
  const callsOf = (id: number) => chunks.find((one) => one.id === id)?.calls ?? [];

  const pending = (id: number): PendingChunk => {
    const { attempts, progress } = stateOf(id);
    const times = callsOf(id).map(({ receivedAt }) => receivedAt);
    return {
      ...{ id, calls: times.length, attempts },
      ...{ beganAt: times[0] ?? 0, endedAt: times.at(-1) ?? 0 },
      // As it comes back from disk.
      ...(progress !== undefined && { progress: JSON.parse(JSON.stringify(progress)) }),
    };
  };

  return {
    ended,
    progressOf: (id) => stateOf(id).progress,
    open: () => {
      let isKilled = false;
      const alive = async <T>(act: () => T): Promise<T> => {
        await undefined;
        if (isKilled) throw new JournalError('JOURNAL_UNAVAILABLE', 'killed');
        return act();
      };
      const journal: ChunkJournal = {
        takeChunk: (_destination, now, closeNow) =>
          alive(() => {
            if (closeNow) open.clear();
            const due = [...kept].find(
              ([id, { dueAt }]) => !ended.has(id) && !open.has(id) && dueAt <= now,
            );
            return due && pending(due[0]);
          }),
        chunkPage: (id, after) =>
          alive(() =>
            callsOf(id)
              .filter(({ seq }) => seq > after)
              .slice(0, pageLength)
              .map(({ content, ...call }) => ({
                ...{ ...call, bodyBytes: content?.length ?? 0 },
                ...(content && content.length <= inlineBytes && { body: content }),
              })),
          ),
        chunkProgress: (id, progress) =>
          alive(() => {
            stateOf(id).progress = progress;
          }),
        postponeChunk: (id, postponement) =>
          alive(() => {
            kept.set(id, postponement);
          }),
        settleChunk: (id, end) =>
          alive(() => {
            ended.set(id, end);
          }),
      };
      const all = chunks.flatMap(({ calls }) => calls);
      const body = (seq: number) => alive(() => all.find((one) => one.seq === seq)?.content);
      return {
        journal,
        body,
        kill: () => {
          isKilled = true;
        },
      };
    },
  };
}
