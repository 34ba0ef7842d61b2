import type { PendingCall, Progress } from '../journal/journal.ts';
import { tracedNote } from '../record/note.ts';
import { planRun } from '../record/plan-run.ts';
import type { DeliverParts } from './attempt.ts';
import type { BodyPlace } from './body-room.ts';
import type { CallEnd } from './call-end.ts';
import { deliverRun } from './deliver-run.ts';
import type { RunFile, RunToMake } from './run-to-make.ts';

export interface DeliverCallParts extends DeliverParts {
  /** Commits progress; it resolves when that is on disk. */
  keep: (seq: number, progress: Progress) => Promise<void>;
  /** The bytes of its `call.json`, in `place` where there is one. */
  body: (seq: number, place?: BodyPlace) => Promise<Uint8Array | undefined>;
}

/** Makes the run of a call. */
export function createDelivery(parts: DeliverCallParts) {
  return (call: PendingCall, destination: string): Promise<CallEnd> =>
    deliverRun(parts, runOf(parts, call, call.progress ?? { destination }));
}

function runOf(parts: DeliverCallParts, call: PendingCall, progress: Progress): RunToMake {
  const { seq, experiment, attempts, record, bodyBytes, sampleRate } = call;
  const plan = planRun(record, progress.again, sampleRate);
  const { traceback } = plan;
  const files: RunFile[] = [];
  if (record.body !== 'dropped') {
    const content = (place?: BodyPlace) => parts.body(seq, place);
    files.push({ name: 'call.json', roomBytes: bodyBytes, content });
  }
  if (traceback !== undefined) {
    files.push({ name: 'traceback.txt', content: async () => Buffer.from(traceback, 'utf8') });
  }
  const keep = (kept: Progress) => parts.keep(seq, kept);
  const tagsIn = (experimentId: string) =>
    call.isTraced ? [tracedNote(record, experimentId)] : [];
  return { plan, experiment, tagsIn, files, attempts, progress, keep };
}
