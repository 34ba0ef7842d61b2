import { setImmediate as turn } from 'node:timers/promises';
import type { RunChoiceOptions } from '../../src/admit/run-choice.ts';
import { createBodyRoom } from '../../src/deliver/body-room.ts';
import { createDelivery } from '../../src/deliver/deliver-call.ts';
import { createDispatcher } from '../../src/deliver/dispatcher.ts';
import { createExperiments } from '../../src/deliver/experiments.ts';
import { createGate } from '../../src/deliver/gate.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createRation } from '../../src/deliver/ration.ts';
import { createRunPace, reportPace } from '../../src/deliver/run-pace.ts';
import { createSuccesses } from '../../src/deliver/successes.ts';
import { createUntilKept } from '../../src/deliver/until-kept.ts';
import type { Account } from '../../src/journal/account.ts';
import { openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { createArtifacts } from '../../src/mlflow/artifacts.ts';
import { throttleOf } from '../../src/mlflow/classify.ts';
import { createMlflowClient, type OnOutcome } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import type { Answer, Send } from '../../src/mlflow/transport.ts';
import { fakeClock } from './fake-clock.ts';
import { journalDefaults } from './journal-defaults.ts';
import { bodyOf } from './litellm-event.ts';
import { createRandom } from './random.ts';
import { tempFolder } from './temp-folder.ts';

/** A journal that chooses runs, an MLflow, and the delivery between them, by a clock that a test moves. */
export interface RunLine {
  /** Takes calls in at the clock's time. */
  append(...events: unknown[]): void;
  /** Lets time pass, once all that can be done at present has been. */
  pass(ms: number): Promise<void>;
  /** Unix milliseconds. */
  now(): number;
  account(): Account;
  /** What is held against MLflow; absent where nothing is. */
  held(): string | undefined;
}

export interface RunLineOptions {
  /** MLflow's URL. */
  url: string;
  runs: RunChoiceOptions;
  /** Requests a second that the sidecar may make. */
  perSecond: number;
  /** What happens to requests instead of being sent; nothing while it answers nothing. */
  instead?: () => Answer | undefined;
}

const maxInFlight = 8;
/** How often the journal forgets what is done with, in milliseconds. */
const tidyEvery = 60_000;
/** So many turns without a request under way, and nothing goes on by itself any more. */
const quietTurns = 3;

export function startRunLine(
  t: { after(end: () => unknown): unknown },
  { url, runs, perSecond, instead = () => undefined }: RunLineOptions,
): RunLine {
  // The journal counts the runs of a day from its opening, by the system's clock.
  const clock = fakeClock(Date.now());
  const random = createRandom(1).next;
  const over = new AbortController();
  const untilKept = createUntilKept(clock, over.signal);
  const own = openSqliteJournal(journalDefaults(tempFolder(t), { maxBytes: 500_000_000, runs }));
  const run = async <T>(command: () => T): Promise<T> => {
    const [result] = own.run([command]);
    if (result?.status === 'fulfilled') return result.value;
    throw result?.reason;
  };

  const transport = createHttpTransport({
    url: new URL(url),
    connections: maxInFlight,
    timeoutMs: () => 20_000,
  });
  let underWay = 0;
  const send: Send = async (request) => {
    const answer = instead();
    if (answer !== undefined) return answer;
    underWay += 1;
    return transport.send(request).finally(() => {
      underWay -= 1;
    });
  };
  const newHold = () => createHold({ clock, random, onChange: () => undefined });
  const holds = { mlflow: newHold(), artifacts: newHold() };
  const ration = createRation(() => perSecond, clock);
  const gate = createGate({
    ...{ send, ration, hold: holds.mlflow, maxInFlight, clock, random },
    throttleOf: (answer) => throttleOf(answer, clock.now()),
    onThrottled: () => undefined,
  });
  const pace = createRunPace({ rate: ration.rate, isBusy: () => dispatcher.isBusy(), clock });
  const successes = createSuccesses();
  const onOutcome: OnOutcome = (request, outcome) => {
    if (outcome === 'done') successes.note(request, clock.now());
    const isAnswered = outcome === 'done' || outcome === 'reject';
    if (isAnswered && !request.startsWith('artifacts/')) holds.mlflow.succeeded();
  };
  const mlflow = createMlflowClient(
    (request) => {
      pace.requested();
      return gate.send(request);
    },
    { now: clock.now, onOutcome },
  );
  const dispatcher = createDispatcher({
    journal: {
      take: (limit, destination, now) => run(() => own.take(limit, destination, now)),
      postpone: (seq, postponement) => run(() => own.postpone(seq, postponement)),
      settle: (seq, settlement, now) => run(() => own.settle(seq, settlement, now)),
    },
    destination: url,
    deliver: createDelivery({
      mlflow,
      artifacts: createArtifacts({
        ...{ mlflow, presigned: false, now: clock.now, onOutcome },
        objects: { put: () => Promise.reject(new Error('no S3 here')), close: () => undefined },
      }),
      experiments: createExperiments(mlflow),
      ...{ holds, successes, clock, random, bodyRoom: createBodyRoom(1_000_000) },
      keep: (seq, progress) => untilKept(() => run(() => own.progress(seq, progress))),
      body: (seq, place) => run(() => own.body(seq, place)),
    }),
    ...{ holds, clock, untilKept, maxActive: 2 * maxInFlight },
    onEnd: (_call, end) => {
      if (end.kind === 'settled') pace.ran();
    },
  });
  const setPace = (runsPerSecond: number | undefined) => run(() => own.setPace(runsPerSecond));
  const reporting = reportPace(pace, { setPace }, untilKept, clock, over.signal);
  dispatcher.start();
  t.after(async () => {
    over.abort();
    await dispatcher.drain(0);
    await reporting;
    await transport.close();
    own.close();
  });

  let tidiedAt = clock.now();
  const quiet = async (): Promise<void> => {
    for (let turns = 0; turns < quietTurns; ) {
      await turn();
      turns = underWay === 0 ? turns + 1 : 0;
    }
  };
  return {
    append: (...events) => {
      const [result] = own.run([() => own.append(bodyOf(...events), clock.now())]);
      if (result?.status !== 'fulfilled') throw result?.reason;
      dispatcher.wake();
    },
    pass: async (ms) => {
      await quiet();
      clock.advance(ms);
      await quiet();
      if (clock.now() - tidiedAt < tidyEvery) return;
      tidiedAt = clock.now();
      while (own.tidy(clock.now()));
    },
    now: clock.now,
    account: own.account,
    held: () => {
      const state = holds.mlflow.state();
      return state.state === 'held' ? state.reason : undefined;
    },
  };
}
