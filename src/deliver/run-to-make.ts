import type { Progress } from '../journal/journal.ts';
import type { FileContent } from '../mlflow/artifacts.ts';
import type { RunPlan } from '../record/run-plan.ts';
import type { BodyPlace } from './body-room.ts';

/** A run that is to be made in MLflow, with its files, and how far that has come. */
export interface RunToMake {
  plan: RunPlan;
  /** The experiment's name. */
  experiment: string;
  /** Tags that depend on the experiment's id, beside or instead of those of the plan. */
  tagsIn?: (experimentId: string) => Iterable<readonly [name: string, value: string]>;
  /** In the order in which they are sent. */
  files: readonly RunFile[];
  /** How often it was tried and given back because of its own failure. */
  attempts: number;
  progress: Progress;
  /** Commits progress; it resolves when that is on disk. */
  keep: (progress: Progress) => Promise<void>;
  /**
   * It stands for many calls. What MLflow refuses for good is then asked for again, until it is certain
   * that others pass; and a run that is no longer there is made anew, as the server was replaced.
   */
  isOfMany?: true;
}

export interface RunFile {
  name: string;
  /** An S3 URI, where it does not go below its run. */
  uri?: string;
  /** How many bytes of the room for bodies its content needs; absent: none. */
  roomBytes?: number;
  /** `undefined` where it is lost. */
  content: (place?: BodyPlace) => Promise<FileContent | undefined>;
  /** The run is worth nothing where no part of it can be stored. */
  isEssential?: true;
  /** The same in two files, for a place that takes no file as large; `undefined` where there are no halves. */
  halves?: () => readonly RunFile[] | undefined;
  /** Less of the same, where it is left out itself. */
  instead?: RunFile;
  /** Told when it is stored, in this attempt or an earlier one. */
  onStored?: () => void;
}
