import type { TraceJournal } from '../../journal/detail.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Artifacts } from '../../mlflow/artifacts.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import type { TracesClient, TracesWay, TracesWish } from '../../mlflow/traces-client.ts';
import type { BodyRoom } from '../body-room.ts';
import type { Clock } from '../clock.ts';
import type { Experiments } from '../experiments.ts';
import type { Hold } from '../hold.ts';
import type { UntilKept } from '../until-kept.ts';

export interface TraceDeliveryParts {
  journal: Pick<Journal, 'body'> & TraceJournal;
  mlflow: TracesClient;
  /** Where the spans of traces go that are made one by one. */
  artifacts: Artifacts;
  /** Its own, since it is told to forget what it knows now and then. */
  experiments: Experiments;
  wish: TracesWish;
  bodyRoom: BodyRoom;
  /** Of traces alone: a server that takes none may take runs. */
  hold: Hold;
  untilKept: UntilKept;
  clock: Clock;
  random: () => number;
  /** Ends it. */
  over: AbortSignal;
  /** Told how traces go there, at first and when that turns out to be otherwise. */
  onWay: (way: TracesWay) => void;
  /** Told of calls whose traces MLflow would not take. `detail` may quote a call: never for a log. */
  onLoss: (traces: number, reason: string, detail: string) => void;
}

export type Failure = Exclude<Outcome<unknown>, { kind: 'done' }> & {
  /** It is of a request that carried traces, not of one that prepares for that. */
  isOfTraces?: true;
};
