import type { TestContext } from 'node:test';
import type { CredentialSource } from '../../../src/aws/credentials.ts';
import { type MlflowControl, openMlflowControl } from '../../../src/aws/mlflow-control.ts';
import type { Clock } from '../../../src/deliver/clock.ts';
import {
  startWithClient,
  type TestOptions,
} from '../../support/sagemaker-control-plane/started.ts';

/** Those that the control planes of the tests know. */
const credentials: CredentialSource = {
  current: async () => ({
    accessKeyId: 'ASIAOPERATOR',
    secretAccessKey: 's',
    sessionToken: 't',
    source: 'a test',
  }),
  renew: async () => false,
};

/** A control plane, and the operator's way to it, until the test ends. */
export async function startControl(t: TestContext, options: TestOptions = {}) {
  const { plane, client } = await startWithClient(t, options);
  const control = await openMlflowControl(plane.region, credentials, plane.url);
  t.after(() => control.close());
  const operations = () => plane.calls.map(({ operation }) => operation);
  return { plane, client, control, operations };
}

export interface SteppingClock extends Clock {
  /** How long was slept each time, in milliseconds. */
  readonly slept: readonly number[];
}

/** A clock that goes on only by what is slept; `onSleep` is told of each, before it is over. */
export function steppingClock(onSleep: (count: number) => unknown = () => {}): SteppingClock {
  let now = 1_800_000_000_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    ticks: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
      await onSleep(slept.length);
    },
  };
}

export type DrivenControl = Pick<MlflowControl, 'describeServer' | 'startServer' | 'stopServer'>;
