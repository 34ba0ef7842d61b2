import { type Ask, notOurs } from './ask.ts';
import { member, parsed } from './json-answer.ts';
import { mapDone, type Outcome } from './outcome.ts';
import { type TracesWay, type TracesWish, wayOfVersion } from './traces-way.ts';

/** Where only probing tells: the least of the versions that have what was found. */
const leastWithServerInfo = '3.9';
const leastWithTraces = '3.2';
const older = '2.16';

/**
 * How traces go to a server whose version nobody told: by `/version`; where a front keeps that from
 * us, by what else the server knows. That it takes none is found twice, with a request between that it
 * answers: one that refuses everything for a while says nothing of traces.
 */
export async function findTracesWay(ask: Ask, wish: TracesWish): Promise<Outcome<TracesWay>> {
  const version = await ask({ name: 'version', method: 'GET', path: '/version' }, versionIn);
  if (version.kind === 'done') return mapDone(version, (found) => wayOfVersion(found, wish));
  if (!tellsOfPathAlone(version)) return version;
  const probed = await probe(ask, wish, version);
  if (probed.kind !== 'done' || probed.value.kind !== 'none') return probed;
  const served = await askWhetherServed(ask);
  return served.kind === 'done' ? probe(ask, wish, version) : served;
}

/**
 * Asks for an experiment that is nowhere, which whoever may record there may ask: one that is there may be
 * another's.
 */
export async function askWhetherServed(ask: Ask): Promise<Outcome<void>> {
  const path = '/api/2.0/mlflow/experiments/get-by-name?experiment_name=sidecar-no-such-experiment';
  const name = 'experiments/get-by-name';
  const asked = await ask({ name, method: 'GET', path }, (answer) => parsed(answer));
  return asked.kind === 'reject' ? { kind: 'done', value: undefined } : mapDone(asked, () => {});
}

/**
 * OTLP with several traces a request is there from 3.6 on, and no request tells 3.6 from the versions
 * before it, which take one; so it is taken to be there where `server-info` is, too, which came with 3.9.
 */
async function probe(
  ask: Ask,
  wish: TracesWish,
  version: Outcome<unknown>,
): Promise<Outcome<TracesWay>> {
  const told = await ask({ name: 'server-info', method: 'GET', path: serverInfo }, (answer) =>
    member(parsed(answer), 'store_type') === undefined ? undefined : true,
  );
  // A page in the place of both: it may be one to log in, and pass.
  if (isSomethingElse(version) && told.kind === 'hold' && isSomethingElse(told)) return told;
  const info = has(told);
  if (info.kind !== 'done') return info;
  if (info.value) {
    const otlp = hasOtlp(await ask(emptyPost, () => true));
    if (otlp.kind !== 'done') return otlp;
    if (otlp.value) return way(leastWithServerInfo, wish);
  }
  if (wish === 'auto') return way(older, wish);
  // A trace of that id is nowhere; a server that knows the request says so by name.
  const v3 = await ask<never>(
    { name: 'traces/create', method: 'GET', path: noTrace },
    () => undefined,
  );
  const knowsV3 = v3.kind === 'reject';
  if (!knowsV3 && !tellsOfPathAlone(v3)) return v3;
  return way(knowsV3 ? leastWithTraces : older, wish, knowsV3);
}

const serverInfo = '/api/3.0/mlflow/server-info';
const noTrace = `/api/3.0/mlflow/traces/tr-${'0'.repeat(31)}1`;

/** Without spans in it: a server that takes OTLP refuses it with a 400, and keeps nothing. */
const emptyPost = {
  name: 'v1/traces',
  method: 'POST',
  path: '/v1/traces',
  contentType: 'application/x-protobuf',
  headers: { 'x-mlflow-experiment-id': '0' },
  body: new Uint8Array(0),
} as const;

function way(version: string, wish: TracesWish, isV3 = false): Outcome<TracesWay> {
  return { kind: 'done', value: isV3 ? { kind: 'v3' } : wayOfVersion(version, wish) };
}

function hasOtlp(outcome: Outcome<unknown>): Outcome<boolean> {
  return outcome.kind === 'reject' && outcome.reason === 'invalid'
    ? { kind: 'done', value: true }
    : has(outcome);
}

/** Whether the server knows a request; whatever says nothing of that is passed on. */
function has(outcome: Outcome<unknown>): Outcome<boolean> {
  if (outcome.kind === 'done') return { kind: 'done', value: true };
  if (outcome.kind === 'reject' || tellsOfPathAlone(outcome)) return { kind: 'done', value: false };
  return outcome;
}

/**
 * A refusal that a front may mean for this path alone, and an answer that is somebody else's. Gateways of
 * AWS answer 403 `MissingAuthenticationToken` to any path that they do not know.
 */
function tellsOfPathAlone(outcome: Outcome<unknown>): boolean {
  return (
    outcome.kind === 'reject' ||
    (outcome.kind === 'hold' &&
      /^(unsupported|not_mlflow|forbidden|unauthorized)$/.test(outcome.reason))
  );
}

function isSomethingElse(outcome: Outcome<unknown>): boolean {
  return outcome.kind === 'hold' && outcome.detail === notOurs;
}

function versionIn(answer: string): string | undefined {
  return /^\s*(\d+\.\d+[\w.+-]*)\s*$/.exec(answer)?.[1];
}
