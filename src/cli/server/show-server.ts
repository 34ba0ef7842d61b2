import type { MlflowDescription } from '../../aws/mlflow-control.ts';
import { mlflowResource } from '../../aws/mlflow-resource.ts';
import { requestsPerSecondOf } from '../../aws/tracking-server.ts';
import type { Environment } from '../../settings/environment.ts';
import { rationSetting } from '../../settings/ration-setting.ts';
import type { Settings } from '../../settings/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { print, printJson, printTable } from '../print.ts';
import { shown } from './drive-words.ts';
import { statusWords } from './status-words.ts';
import { type OnTarget, withTarget } from './with-control.ts';

/** `server status`: how the tracking server or app is, and what that means. */
export function serverStatus(
  environment: Environment,
  name: string | undefined,
  json: boolean,
): Promise<number> {
  return withTarget(environment, name, json, async (on) => {
    const found = await describe(on);
    const { kind, arn, status, active } = found;
    const meaning = statusWords(found);
    if (json) printJson({ name: found.name, kind, arn, status, active, meaning });
    else print(`${found.name}: ${stateOf(found)}: ${meaning}.`);
    return exitCodes.ok;
  });
}

/** `server info`: what SageMaker tells of it, and at which rate this sidecar asks it. */
export function serverInfo(
  environment: Environment,
  name: string | undefined,
  json: boolean,
): Promise<number> {
  return withTarget(environment, name, json, async (on) => {
    const found = await describe(on);
    const { bears, ration } = rationOf(found, on.settings);
    if (json) {
      const { share, replicas } = on.settings.destination;
      printJson({ ...found, bears, ration: { requestsPerSecond: ration, share, replicas } });
    } else printTable(rowsOf(found, on.settings));
    return exitCodes.ok;
  });
}

function describe({ control, target }: OnTarget): Promise<MlflowDescription> {
  return target.kind === 'mlflow-app'
    ? control.describeApp(target.arn)
    : control.describeServer(target.name);
}

/** A status, with what an app does not have left out. */
export function stateOf({ status, active }: Pick<MlflowDescription, 'status' | 'active'>): string {
  return active === undefined ? status : shown({ status, active });
}

/** What it bears and what this sidecar takes of it, in requests a second, as the daemon has it. */
function rationOf({ size }: MlflowDescription, settings: Settings) {
  const bears = Object.entries(requestsPerSecondOf).find(([known]) => known === size)?.[1];
  const ration = rationSetting(settings.destination, bears ?? requestsPerSecondOf.Small);
  return { bears, ration };
}

function rowsOf(found: MlflowDescription, settings: Settings): string[][] {
  const { requestsPerSecond, share, replicas } = settings.destination;
  const { bears, ration } = rationOf(found, settings);
  const of = replicas === 1 ? 'for this sidecar' : `for each of ${replicas} sidecars`;
  const because =
    requestsPerSecond === undefined
      ? `share ${share} of ${bears ?? `${requestsPerSecondOf.Small}, which is assumed`}`
      : 'as destination.requestsPerSecond is set';
  const rows: [string, string | undefined][] = [
    ['Name', found.name],
    ['Kind', found.kind === 'mlflow-app' ? 'app' : 'tracking server'],
    ['ARN', found.arn],
    ['Region', mlflowResource(found.arn).region],
    ['Status', `${stateOf(found)}: ${statusWords(found)}`],
    ['MLflow', found.version],
    [
      'Size',
      found.size &&
        `${found.size}, which bears ${bears ?? 'an unknown number of'} requests a second`,
    ],
    ['Ration', `${ration} requests a second ${of} (${because})`],
    ['Artifact store', found.artifactStore],
    ['Execution role', found.role],
    ['KMS key', found.kmsKey],
    ['Maintenance', found.maintenanceWindow && `weekly from ${found.maintenanceWindow} UTC`],
    ['Last maintenance', found.maintenance],
    ['Created', moment(found.created, found.createdBy)],
    ['Modified', moment(found.modified, found.modifiedBy)],
  ];
  return rows.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value]],
  );
}

function moment(time: Date | undefined, who: string | undefined): string | undefined {
  if (time === undefined) return undefined;
  return who === undefined ? time.toISOString() : `${time.toISOString()}, by ${who}`;
}
