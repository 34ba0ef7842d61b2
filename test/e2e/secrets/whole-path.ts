import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { commitsIn, flipBit, frame, header, logOf } from '../../support/damaged-journal.ts';
import { startMinimalFront } from '../../support/minimal-front.ts';
import type { MinimalMlflow } from '../../support/minimal-mlflow.ts';
import { planted } from '../../support/planted.ts';
import { runProgram } from '../../support/run-program.ts';
import { serverEnvironment } from '../../support/server-environment.ts';
import { type Sidecar, startSidecar } from '../../support/sidecar.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { brokenElement, own, parametersIn, plantedCall, plantedFailure } from './planted-calls.ts';

/** All that is left of calls that went every way there is. */
export interface LeftBehind {
  /** Every file of the data folder, by its name. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** The log, the metrics, the health, every answer over HTTP, and what the command line said. */
  readonly told: Buffer;
  /** What `dead show` said, which shows what was kept of a call. */
  readonly shown: Buffer;
  /** The tags and params of all runs, and the names of experiments. */
  readonly tags: Buffer;
  readonly artifacts: Buffer;
}

/**
 * Sends calls of each of `groups` through all that may become of them, under `redact`: recorded,
 * failed, refused by MLflow, broken, given up for want of room, found damaged after a kill.
 */
export async function leftBehind(
  t: TestContext,
  redact: object,
  groups: readonly string[],
): Promise<LeftBehind> {
  const { mlflow, trackingUri, environment } = await startMinimalFront(t);
  const config = join(tempFolder(t), 'sidecar.yaml');
  const server = { maxBodyBytes: '8MiB' };
  writeFileSync(config, JSON.stringify({ redact, server, journal: { maxBytes: '16MiB' } }));
  const env = {
    ...environment,
    SIDECAR_CONFIG: config,
    SIDECAR_REDACT_HASH_KEY: own.hashKey,
    MLFLOW_TRACKING_URI: trackingUri,
    MLFLOW_TRACKING_USERNAME: 'sidecar',
    MLFLOW_TRACKING_PASSWORD: own.password,
    SIDECAR_AUTH_TOKEN: own.token,
  };
  const sidecar = await startSidecar({ trackingUri, token: own.token, env });
  t.after(() => sidecar.close());
  const data = join(sidecar.dir, 'data');
  const told: string[] = [];
  const cli = async (...words: string[]) => {
    const { output } = await runProgram(
      process.execPath,
      ['--import', 'tsx', 'src/main.ts', ...words],
      { env: serverEnvironment(undefined, { ...env, SIDECAR_DATA_DIR: data }) },
    );
    return output;
  };
  const ask = async (path: string, init: RequestInit = {}, status = 200) => {
    const answer = await fetch(sidecar.url + path, init);
    assert.equal(answer.status, status, path);
    told.push(await answer.text(), JSON.stringify([...answer.headers]));
  };
  const post = (body: string | Uint8Array<ArrayBuffer>, token = own.token, status = 200) =>
    ask('/v1/events', { method: 'POST', headers: { authorization: token }, body }, status);

  const postBroken = async () => {
    await post(`[${brokenElement},null,7`);
    await post(new Uint8Array(gzipSync(brokenElement)).slice(0, -4));
  };

  refuseAll(mlflow);
  await post(JSON.stringify(groups.flatMap(ofGroup)));
  await postBroken();
  await post(brokenElement, `${planted}-a-wrong-token`, 401);
  await post(brokenElement.padEnd(9 * 1024 * 1024), own.token, 413);
  await ask('/no-such-place', { headers: { authorization: own.token } }, 404);
  await giveUpBodies(sidecar, post, groups[0] ?? '');

  for (const number of [201, 202, 203, 204, 205]) {
    await post(JSON.stringify([plantedCall(number, groups[0] ?? '')]));
  }
  await damage(sidecar, data);
  told.push(await cli('status'), await cli('validate', '--json'));
  // What was kept of these before has made room for calls.
  await postBroken();
  refuseOne(mlflow);
  // After a salvage what may have a run is sent again only when it was searched for for 90 s.
  await sidecar.drained(200_000);
  for (const path of ['/healthz', '/readyz', '/metrics']) await ask(path);
  const shown: string[] = [];
  const letters: { id: number; call?: object }[] = JSON.parse(await cli('dead', 'list', '--json'));
  assert.ok(letters.some(({ call }) => call) && letters.some(({ call }) => !call));
  for (const { id } of letters) shown.push(await cli('dead', 'show', String(id)));
  for (const command of ['status', 'status --json', 'verify --json', 'dead list', 'replay']) {
    told.push(await cli(...command.split(' ')));
  }
  await sidecar.drained(60_000);
  await sidecar.stop();
  told.push(await cli('dead', 'list', '--json'), readFileSync(sidecar.logFile, 'utf8'));

  const names = readdirSync(data, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((it) => join(it.parentPath, it.name));
  assert.ok(paths.some((path) => path.includes('set-aside')));
  const runs = [...mlflow.runs.values()];
  assert.ok(runs.length > groups.length);
  return {
    files: new Map(paths.map((path) => [path.slice(data.length + 1), readFileSync(path)])),
    told: Buffer.from(told.join('\n')),
    shown: Buffer.from(shown.join('\n')),
    tags: Buffer.from(
      JSON.stringify([
        ...runs.flatMap(({ tags, params }) => [...tags, ...params]),
        ...mlflow.experiments.keys(),
      ]),
    ),
    artifacts: Buffer.concat(runs.flatMap(({ artifacts }) => [...artifacts.values()])),
  };
}

const refused = 666;

/** Of each group a call that is answered, one that fails, and one that MLflow refuses. */
function ofGroup(group: string, index: number) {
  const first = 10 * index;
  return [
    plantedCall(first + 1, group),
    plantedFailure(first + 2, group),
    plantedCall(first + 3, group, { model_parameters: parametersIn(group, refused) }),
  ];
}

/** Nothing passes, and each refusal quotes what was asked and by whom, as careless proxies do. */
function refuseAll(mlflow: MinimalMlflow): void {
  let times = 0;
  mlflow.fault = (request, body) => {
    times += 1;
    const quoted = `${own.password} may not ${request} ${JSON.stringify(body)}`;
    return { status: [503, 401, 500, 429][times % 4] ?? 503, body: quoted };
  };
}

/** From now on one call in each group cannot be recorded; MLflow quotes why. */
function refuseOne(mlflow: MinimalMlflow): void {
  mlflow.fault = (request, body) => {
    const [, params = ''] = /"params":(\[.*?\]),"metrics"/.exec(JSON.stringify(body)) ?? [];
    if (request !== 'runs/log-batch' || !params.includes(`"value":"${refused}"`)) return undefined;
    const message = `Refused: ${params.replace(/^.*"key":"stop"/, '')}`;
    return { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message } };
  };
}

/** Posts calls with long answers until the journal gives bodies up to take in more. */
async function giveUpBodies(
  sidecar: Sidecar,
  post: (body: string) => Promise<void>,
  group: string,
): Promise<void> {
  const response = { choices: [{ message: { content: 'x'.repeat(1_500_000) } }] };
  let number = 100;
  const more = async () => {
    number += 1;
    await post(JSON.stringify([plantedCall(number, group, { response })]));
    return (await sidecar.metrics())['litellm_mlflow_bodies_shed_total'] || undefined;
  };
  await waitUntil(more, { what: 'bodies to be given up', withinMs: 30_000, everyMs: 1 });
}

/** Kills the sidecar, damages its log and starts it again: what was damaged is set aside. */
async function damage(sidecar: Sidecar, data: string): Promise<void> {
  await sidecar.kill();
  const commit = commitsIn(logOf(data)).at(-3);
  assert.ok(commit !== undefined);
  flipBit(logOf(data), header + commit * frame + 500);
  await sidecar.start();
}
