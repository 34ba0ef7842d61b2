import { print, printError, printJson } from '../print.ts';

/** A part of the way that was gone, or at which it ended. */
export interface Step {
  name: string;
  ok: boolean;
  /** Milliseconds that it took. */
  ms: number;
  /** What was found; of a failure, what is wrong and what to do. */
  detail: string;
}

/** The way ended; the message is for a person. */
export class StepError extends Error {
  readonly code = 'STEP_FAILED';
}

/** Goes a way step by step, and tells of each. */
export interface Steps {
  /**
   * Goes a step: what `act` returns is what it found, and what to say of it.
   *
   * @throws StepError as `act` does, when it has been told of.
   */
  go<T>(name: string, act: () => Promise<{ found: T; detail: string }>): Promise<T>;
  /** What is said beside the steps. */
  note(text: string): void;
  /** The end: all as JSON, where that is wanted. */
  report(): boolean;
}

/** @param ticks Milliseconds from some moment on. */
export function createSteps(json: boolean, ticks: () => number): Steps {
  const steps: Step[] = [];
  const notes: string[] = [];
  const tell = (step: Step) => {
    steps.push(step);
    if (json) return;
    const line = `${step.ok ? 'ok    ' : 'FAILED'}  ${step.name.padEnd(18)} ${`${step.ms} ms`.padStart(9)}  ${step.detail}`;
    if (step.ok) print(line);
    else printError(line);
  };
  return {
    go: async (name, act) => {
      const startedAt = ticks();
      const ms = () => Math.round(ticks() - startedAt);
      try {
        const { found, detail } = await act();
        tell({ name, ok: true, ms: ms(), detail });
        return found;
      } catch (error) {
        if (error instanceof StepError) tell({ name, ok: false, ms: ms(), detail: error.message });
        throw error;
      }
    },
    note: (text) => {
      notes.push(text);
      if (!json) print(text);
    },
    report: () => {
      const ok = steps.every((step) => step.ok);
      if (json) printJson({ ok, steps, notes });
      return ok;
    },
  };
}
