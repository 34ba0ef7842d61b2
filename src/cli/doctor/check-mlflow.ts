import { createAsk } from '../../mlflow/ask.ts';
import { createMlflowClient } from '../../mlflow/client.ts';
import type { Outcome } from '../../mlflow/outcome.ts';
import { createTracesClient } from '../../mlflow/traces-client.ts';
import type { Send } from '../../mlflow/transport.ts';
import type { Settings } from '../../settings/schema.ts';
import { outcomeWords } from '../outcome-words.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** Ids that are nowhere, which every database takes. */
const noExperiment = '2147483646';
const noRun = '0'.repeat(32);
const noTag = ['sidecar.record_id', 'doctor'] as const;

/** What MLflow is asked with. */
export interface Asking {
  settings: Settings;
  send: Send;
  /** Unix milliseconds. */
  now: () => number;
}

/** A request that a sidecar makes, tried in a way that changes nothing. */
interface Probe {
  /** As IAM and MLflow name it. */
  name: string;
  /** How it is tried. */
  how: string;
  /** What becomes of records where it may not be made; without it, they stop. */
  without?: string;
  ask: () => Promise<Outcome<unknown>>;
}

/**
 * Whether each of the sidecar's requests may be made. A server that allows one says that what it names is
 * not there; one that does not says so first.
 */
export async function checkPermissions({ settings, send, now }: Asking): Promise<Check[]> {
  const client = createMlflowClient(send, { now, onOutcome: () => undefined });
  const ofNoRun = 'of a run that is not there';
  const probes: Probe[] = [
    {
      name: 'GetExperimentByName',
      how: 'for a name that is not there',
      ask: () => client.findExperiment('sidecar-doctor-no-such-experiment'),
    },
    {
      name: 'CreateExperiment',
      how: 'without a name, which is refused',
      ask: () => client.createExperiment(''),
    },
    {
      name: 'RestoreExperiment',
      how: 'of one that is not there',
      ask: () => client.restoreExperiment(noExperiment),
    },
    {
      name: 'CreateRun',
      how: 'in an experiment that is not there',
      ask: () => client.createRun(noExperiment, { name: 'doctor', startTime: now(), tags: [] }),
    },
    {
      name: 'LogBatch',
      how: ofNoRun,
      ask: () => client.logBatch(noRun, { params: [], metrics: [], tags: [noTag] }),
    },
    {
      name: 'UpdateRun',
      how: ofNoRun,
      ask: () => client.updateRun(noRun, { status: 'FINISHED', endTime: now() }),
    },
    {
      name: 'SearchRuns',
      how: 'in an experiment that is not there',
      ask: () => client.findRuns(noExperiment, noTag, 0),
    },
    {
      name: 'DeleteRun',
      how: ofNoRun,
      without: 'A second run that a lost answer made stays.',
      ask: () => client.deleteRun(noRun),
    },
    ...(settings.artifacts.upload === 'presigned'
      ? [
          {
            name: 'presigned uploads',
            how: ofNoRun,
            ask: () => client.presignUpload(noRun, 'doctor'),
          },
        ]
      : []),
  ];
  const checks: Check[] = [];
  for (const probe of probes) {
    const outcome = await probe.ask();
    const check = judge(probe, outcome);
    checks.push(check);
    // What no request comes past says nothing of the others.
    if (
      outcome.kind === 'hold' &&
      outcome.reason !== 'forbidden' &&
      outcome.reason !== 'unsupported'
    )
      break;
  }
  return checks;
}

const emptyTrace = {
  name: 'traces/create',
  method: 'POST',
  path: '/api/3.0/mlflow/traces',
  contentType: 'application/json',
  body: '{}',
} as const;

function judge({ name, how, without }: Omit<Probe, 'ask'>, outcome: Outcome<unknown>): Check {
  const title = `mlflow: ${name}`;
  switch (outcome.kind) {
    case 'done':
    case 'reject':
      return ok(title, `allowed; tried ${how}`);
    case 'retry':
    case 'ambiguous':
      return warning(title, `not known; tried ${how}`, outcomeWords(outcome));
    case 'hold': {
      const said = `refused (${outcome.reason}); tried ${how}`;
      return without !== undefined && outcome.reason === 'forbidden'
        ? warning(title, said, `${without} ${outcomeWords(outcome)}`)
        : failure(title, said, outcomeWords(outcome));
    }
  }
}

/** Which MLflow it is, and how it takes traces. */
export async function checkVersion({ settings, send, now }: Asking): Promise<Check[]> {
  const told = { now, onOutcome: () => undefined };
  const ask = createAsk(send, told);
  const version = await ask(
    { name: 'version', method: 'GET', path: '/version' },
    (answer) => /^\s*(\d+\.\d+\S*)\s*$/.exec(answer)?.[1],
  );
  const known =
    version.kind === 'done'
      ? ok('version', `MLflow ${version.value}`)
      : ok('version', 'MLflow does not tell (SageMaker keeps /version to itself)');
  const { traces } = settings.record;
  if (traces === 'off') return [known, ok('traces', 'not asked: record.traces is off')];
  const way = await createTracesClient(send, told).findWay(traces);
  if (way.kind !== 'done') {
    return [known, warning('traces', 'it is not known how they are taken', outcomeWords(way))];
  }
  switch (way.value.kind) {
    case 'otlp':
      return [known, ok('traces', 'taken by OTLP, a hundred in a request')];
    case 'v3':
      return [
        known,
        ok('traces', 'taken one by one, one or two requests each'),
        judge(
          { name: 'StartTrace', how: 'without a trace, which is refused' },
          await ask(emptyTrace, () => true),
        ),
      ];
    case 'none':
      return [
        known,
        traces === 'on'
          ? warning(
              'traces',
              'this MLflow takes none, and record.traces is on',
              'MLflow 3.2 and later do; or set record.traces to auto.',
            )
          : ok('traces', 'none: this MLflow takes none of many in a request'),
      ];
  }
}
