import { createS3 } from './aws/s3.ts';
import { serviceEndpoint } from './aws/service-endpoint.ts';
import { createBodyRoom } from './deliver/body-room.ts';
import { deliverChunks } from './deliver/chunks/chunk-delivery.ts';
import { openChunkFolder } from './deliver/chunks/chunk-folder.ts';
import { createDelivery } from './deliver/deliver-call.ts';
import { createDispatcher } from './deliver/dispatcher.ts';
import { createExperiments } from './deliver/experiments.ts';
import { flushAll, type NotFlushed } from './deliver/flush-all.ts';
import { createGate, type Gate } from './deliver/gate.ts';
import { createRation, type Ration } from './deliver/ration.ts';
import { createRunPace, reportPace } from './deliver/run-pace.ts';
import { createSuccesses } from './deliver/successes.ts';
import { deliverTraces } from './deliver/traces/traces-delivery.ts';
import { createUntilKept, ignoreLostJournal } from './deliver/until-kept.ts';
import { createUsageDelivery } from './deliver/usage/usage-delivery.ts';
import type { AwsAccess, Destination } from './destination.ts';
import { createArtifacts } from './mlflow/artifacts.ts';
import { throttleOf } from './mlflow/classify.ts';
import { createMlflowClient, type MlflowClient, type OnOutcome } from './mlflow/client.ts';
import { createHttpTransport } from './mlflow/http-transport.ts';
import { createTracesClient } from './mlflow/traces-client.ts';
import type { Send } from './mlflow/transport.ts';
import { reportEnd } from './observe/report.ts';
import { callsExperiment } from './record/calls/plan-chunk.ts';
import { usageExperiment } from './record/usage/plan-usage.ts';
import { onFirstUse, reportSigner } from './report-signer.ts';
import { destinationSetting } from './settings/destination.ts';
import { rationSetting } from './settings/ration-setting.ts';
import type { DeliveryParts } from './start-delivery.ts';

/** Delivers from the journal to the MLflow that was found. */
export interface Line {
  /** Calls may have become due. */
  wake(): void;
  /** Requests a second at present; absent without a ration. */
  rate(): number | undefined;
  /** Sends usage and the open chunk, then runs, for `graceMs` at most. */
  drain(graceMs: number): Promise<void>;
  /** To be called when it is over. */
  close(): Promise<void>;
}

/** Calls under way for each request in flight: while one waits for the journal, another sends. */
const activePerRequest = 2;

/** Bytes of bodies in memory at once, on their way to MLflow: those of one very large call. */
const bodyRoomBytes = 8.25 * 1024 * 1024;

/** @param over Ends it. */
export async function createLine(
  parts: DeliveryParts,
  access: AwsAccess,
  destination: Destination & { journalId: string },
  over: AbortSignal,
): Promise<Line> {
  const { settings, journal, holds, metrics, clock, log } = parts;
  const { record, usage: usageSettings, destination: place, archive: archiveSettings } = settings();
  const archive = archiveSettings.uri;
  const folder = await openChunkFolder(settings().journal.dir);
  const { gate, ration, close: closeTransport } = createServerGate(parts, destination);
  const random = Math.random;
  const successes = createSuccesses();
  const onOutcome: OnOutcome = (request, outcome, ms) => {
    metrics.requested(request, outcome, ms);
    if (outcome === 'done') successes.note(request, clock.now());
    const answered = outcome === 'done' || outcome === 'reject';
    if (answered && !request.startsWith('artifacts/')) holds.mlflow.succeeded(request);
  };
  const pace = createRunPace({ rate: ration.rate, isBusy: () => dispatcher.isBusy(), clock });
  const counted =
    (send: Send): Send =>
    (request) => {
      pace.requested();
      return send(request);
    };
  const told = { now: clock.now, onOutcome };
  const mlflow = createMlflowClient(counted(gate.send), told);
  const first = createMlflowClient(counted(gate.sendFirst), told);
  const { objects, artifactsOf } = createStores(parts, access, onOutcome, over);
  const untilKept = createUntilKept(clock, over);
  const common = {
    ...{ experiments: createExperiments(first), holds, successes },
    ...{ bodyRoom: createBodyRoom(bodyRoomBytes), clock, random },
  };
  const ofRuns = { ...common, mlflow, artifacts: artifactsOf(mlflow) };
  const ofFew = { ...common, mlflow: first, artifacts: artifactsOf(first) };
  const { journalId, identity } = destination;
  const body: (typeof journal)['body'] = (seq, room) => untilKept(() => journal.body(seq, room));

  const dispatcher = createDispatcher({
    journal,
    destination: identity,
    deliver: createDelivery({
      ...ofRuns,
      keep: (seq, progress) => untilKept(() => journal.progress(seq, progress)),
      body,
    }),
    holds,
    maxActive: place.maxInFlight * activePerRequest,
    clock,
    untilKept,
    onEnd: (call, end) => {
      if (end.kind === 'settled') pace.ran();
      reportEnd(log, call, end);
    },
  });
  const usage = createUsageDelivery({
    ...ofFew,
    ...{ journal, journalId, destination: identity, untilKept, over },
    experiment: () => usageExperiment(settings().record.experiment),
    hold: holds.mlflow,
    onLoss: (day, what) =>
      log.warn({ day }, `MLflow does not take the usage of ${day}: ${what} will be missing`),
  });
  const chunks = deliverChunks({
    ...ofFew,
    holds: archive === undefined ? holds : { mlflow: holds.mlflow, artifacts: holds.archive },
    ...{ journal, journalId, destination: identity, untilKept, over, folder, body },
    experiment: () => callsExperiment(settings().record.experiment),
    archive: () => archive,
    previews: () => settings().archive.previews === 'on',
    onLoss: ({ id, calls }, reason) =>
      log.error({ chunk: id, calls, reason }, 'MLflow does not take a chunk of the calls table'),
    onDiskTrouble: ({ id }, code) =>
      log.warn({ chunk: id, code }, 'a chunk of the calls table does not fit on this disk'),
  });
  const traces =
    record.traces === 'off'
      ? Promise.resolve()
      : deliverTraces({
          ...ofRuns,
          ...{ journal, untilKept, over, wish: record.traces },
          mlflow: createTracesClient(counted(gate.send), told),
          experiments: createExperiments(mlflow),
          hold: holds.traces,
          onWay: (way) => log.info({ way: way.kind }, wayWords[way.kind]),
          onLoss: (lost, reason) =>
            log.warn({ traces: lost, reason }, 'MLflow does not take the traces of some calls'),
        });

  const notInChunks = async () => (await journal.account()).detail.notInChunks;

  dispatcher.start();
  const loops = [
    ...(record.usage === 'on' ? [usage.run()] : []),
    ...[chunks.ended, traces, reportPace(pace, journal, untilKept, clock, over)],
  ].map((loop) => loop.catch(ignoreLostJournal));

  return {
    wake: dispatcher.wake,
    rate: ration.rate,
    drain: async (graceMs) => {
      const deadline = clock.now() + graceMs;
      dispatcher.pause();
      const intervalMs = usageSettings.interval * 60_000;
      const kept = record.usage === 'on' ? usage : undefined;
      const first = settings().journal.ephemeral
        ? flushAll({ chunks, notInChunks, usage: kept, intervalMs, clock }, deadline).then((left) =>
            reportLeft(log, left),
          )
        : Promise.all([kept?.flush(clock.now() + intervalMs), chunks.flush(true)]);
      await Promise.race([first.catch(ignoreLostJournal), clock.sleep(graceMs)]);
      await dispatcher.drain(Math.max(0, deadline - clock.now()));
    },
    close: async () => {
      await closeTransport();
      await Promise.all(loops);
      objects.close();
    },
  };
}

/** Says what goes with the disk. */
function reportLeft(log: DeliveryParts['log'], { calls, usage }: NotFlushed): void {
  if (calls > 0) log.error({ calls }, 'calls are not in a chunk yet: they go with this disk');
  if (usage) log.error('not all of the usage is in MLflow yet: the rest goes with this disk');
}

const wayWords = {
  otlp: 'calls become traces, many in a request',
  v3: 'calls become traces, each with a request of its own',
  none: 'calls become no traces: this MLflow takes none of many in a request; it is asked again each hour',
} as const;

/** What sends requests to the server, each in its turn. */
function createServerGate(
  { settings, holds, metrics, clock }: DeliveryParts,
  { url, authorize, bears }: Destination,
): { gate: Gate; ration: Ration; close(): Promise<void> } {
  const { maxInFlight } = settings().destination;
  const transport = createHttpTransport({
    url,
    connections: maxInFlight,
    timeoutMs: () => settings().destination.timeout,
    authorize,
  });
  const ration = createRation(() => rationSetting(settings().destination, bears()), clock);
  const gate = createGate({
    send: transport.send,
    ration,
    hold: holds.mlflow,
    maxInFlight,
    throttleOf: (answer) => throttleOf(answer, clock.now()),
    onThrottled: metrics.throttled,
    clock,
    random: Math.random,
  });
  return { gate, ration, close: transport.close };
}

/** Where files go: S3, or wherever MLflow has them. */
function createStores(
  { settings, clock, log }: DeliveryParts,
  access: AwsAccess,
  onOutcome: OnOutcome,
  over: AbortSignal,
) {
  const { upload, kmsKeyId } = settings().artifacts;
  // Of a plain MLflow nobody knows before the first file whether there is anything to sign.
  const isPlain = destinationSetting(settings()).kind === 'url';
  const objects = createS3({
    region: access.region,
    credentials: isPlain
      ? onFirstUse(
          access.credentials,
          () => void reportSigner(access, { what: 'S3', log, clock, over }),
        )
      : access.credentials,
    kmsKeyId,
    hasOwnEndpoint: serviceEndpoint('S3', process.env) !== undefined,
  });
  const presigned = upload === 'presigned';
  const artifactsOf = (mlflow: MlflowClient) =>
    createArtifacts({ mlflow, objects, presigned, now: clock.now, onOutcome });
  return { objects, artifactsOf };
}
