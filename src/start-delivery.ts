import type { Logger } from 'pino';
import { errorName } from './aws/error-name.ts';
import { callerIdentity, credentialAdvice } from './aws/identity.ts';
import { createS3 } from './aws/s3.ts';
import { saysDenied } from './aws/tracking-server-size.ts';
import { createBodyRoom } from './deliver/body-room.ts';
import type { Clock } from './deliver/clock.ts';
import { createDelivery } from './deliver/deliver-call.ts';
import { createDispatcher, type Dispatcher } from './deliver/dispatcher.ts';
import { createExperiments } from './deliver/experiments.ts';
import { gated } from './deliver/gate.ts';
import type { Hold } from './deliver/hold.ts';
import { createRation, type Ration } from './deliver/ration.ts';
import { createSuccesses } from './deliver/successes.ts';
import { createUntilKept, ignoreLostJournal } from './deliver/until-kept.ts';
import { deliverUsage } from './deliver/usage/usage-delivery.ts';
import { type AwsAccess, awsAccess, type Destination, findDestination } from './destination.ts';
import type { Journal } from './journal/journal.ts';
import { createArtifacts } from './mlflow/artifacts.ts';
import { throttleOf } from './mlflow/classify.ts';
import { createMlflowClient, type OnOutcome } from './mlflow/client.ts';
import { createHttpTransport } from './mlflow/http-transport.ts';
import type { Metrics } from './observe/metrics.ts';
import { reportEnd } from './observe/report.ts';
import { usageExperiment } from './record/usage/plan-usage.ts';
import { destinationSetting } from './settings/destination.ts';
import type { Settings } from './settings/schema.ts';

/** All that lies between the journal and MLflow. */
export interface Delivery {
  /** Calls may have become due. */
  wake(): void;
  /** Requests a second at present; absent without a ration. */
  rate(): number | undefined;
  /** Goes on with what is due for `graceMs` at most, then lets go and closes. */
  stop(graceMs: number): Promise<void>;
}

export interface DeliveryParts {
  /** Those of the moment. */
  settings: () => Settings;
  journal: Journal;
  holds: { mlflow: Hold; artifacts: Hold };
  metrics: Metrics;
  clock: Clock;
  log: Logger;
}

/** Calls under way for each request in flight: while one waits for the journal, another sends. */
const activePerRequest = 2;

/** Bytes of bodies in memory at once, on their way to MLflow: those of one very large call. */
const bodyRoomBytes = 8.25 * 1024 * 1024;

/** Finds MLflow, which may take its time while calls are taken in already, and delivers to it from then on. */
export function startDelivery(parts: DeliveryParts): Delivery {
  const { settings } = parts;
  const over = new AbortController();
  const access = awsAccess(settings());
  if (destinationSetting(settings()).kind !== 'url') void reportSigner(access, parts.log);
  let line: Line | undefined;

  const begin = async () => {
    const destination = await untilFound(parts, access, over.signal);
    if (destination === undefined) return;
    const { journalId } = await parts.journal.account();
    if (over.signal.aborted) return;
    line = createLine(parts, access, { ...destination, journalId }, over.signal);
    line.dispatcher.start();
  };
  void begin().catch(ignoreLostJournal);

  return {
    wake: () => line?.dispatcher.wake(),
    rate: () => line?.ration.rate(),
    stop: async (graceMs) => {
      // Without a line there is nothing to go on with, and what looks for MLflow begins none any more.
      await line?.dispatcher.drain(graceMs);
      over.abort();
      await line?.close();
    },
  };
}

/** Says who signs, and what about that is worth a word. Delivery does not wait for it. */
async function reportSigner({ credentials, region }: AwsAccess, log: Logger): Promise<void> {
  try {
    const used = await credentials.current();
    for (const advice of credentialAdvice(process.env, used)) log.warn(advice);
    const { arn } = await callerIdentity(credentials, region);
    const { source } = used;
    log.info({ source, identity: arn }, `requests to MLflow are signed as ${arn}`);
  } catch (error) {
    log.warn({ error: errorName(error) }, 'it is not known whose AWS credentials are in use');
  }
}

/** Looks for MLflow again and again; in the meantime it is held, with the reason. */
async function untilFound(
  { settings, holds, clock, log }: DeliveryParts,
  access: AwsAccess,
  over: AbortSignal,
): Promise<Destination | undefined> {
  const lookup = {
    onUnknown: (name: string) =>
      log.info(
        { error: name },
        `the size of the tracking server is not known (${unknownBecause(name)}): 25 requests a second are taken for what it bears`,
      ),
    sleep: clock.sleep,
    over,
  };
  while (!over.aborted) {
    try {
      const destination = await findDestination(settings, access, lookup);
      holds.mlflow.succeeded();
      return destination;
    } catch (error) {
      if (over.aborted) return undefined;
      const name = errorName(error);
      holds.mlflow.refused({ kind: 'hold', reason: lookupReason(name), detail: name });
      const state = holds.mlflow.state();
      if (state.state === 'held') await clock.sleep(state.probeAt - clock.now(), over);
    }
  }
  return undefined;
}

function unknownBecause(name: string): string {
  return saysDenied(name)
    ? 'sagemaker:DescribeMlflowTrackingServer is not allowed'
    : 'SageMaker could not tell, and is asked again';
}

/** What a failure to look the tracking server up means, by the name of the error. */
function lookupReason(name: string) {
  if (/Credentials/.test(name)) return 'no_credentials';
  if (saysDenied(name)) return 'forbidden';
  if (/NotFound/.test(name)) return 'no_such_server';
  return /Throttl/.test(name) ? 'throttled' : 'unreachable';
}

interface Line {
  dispatcher: Dispatcher;
  ration: Ration;
  close(): Promise<void>;
}

function createLine(
  { settings, journal, holds, metrics, clock, log }: DeliveryParts,
  { credentials, region }: AwsAccess,
  destination: Destination & { journalId: string },
  over: AbortSignal,
): Line {
  const { maxInFlight } = settings().destination;
  const transport = createHttpTransport({
    url: destination.url,
    connections: maxInFlight,
    timeoutMs: () => settings().destination.timeout,
    authorize: destination.authorize,
  });
  const ration = createRation(() => {
    const { requestsPerSecond, share, replicas } = settings().destination;
    const bears = destination.bears();
    return requestsPerSecond ?? (bears && (bears * share) / replicas);
  }, clock);
  const gate = gated({
    send: transport.send,
    ration,
    hold: holds.mlflow,
    maxInFlight,
    throttleOf: (answer) => throttleOf(answer, clock.now()),
    onThrottled: metrics.throttled,
    clock,
    random: Math.random,
  });
  const successes = createSuccesses();
  const onOutcome: OnOutcome = (request, outcome, ms) => {
    metrics.requested(request, outcome, ms);
    if (outcome === 'done') successes.note(request, clock.now());
    const answered = outcome === 'done' || outcome === 'reject';
    if (answered && !request.startsWith('artifacts/')) holds.mlflow.succeeded();
  };
  const mlflow = createMlflowClient(gate, { now: clock.now, onOutcome });
  const { upload, kmsKeyId } = settings().artifacts;
  const objects = createS3({
    region,
    credentials,
    kmsKeyId,
    hasOwnEndpoint: (process.env['AWS_ENDPOINT_URL_S3'] ?? '') !== '',
  });
  const artifacts = createArtifacts({
    mlflow,
    objects,
    presigned: upload === 'presigned',
    now: clock.now,
    onOutcome,
  });
  const untilKept = createUntilKept(clock, over);
  const experiments = createExperiments(mlflow);
  const dispatcher = createDispatcher({
    journal,
    destination: destination.identity,
    deliver: createDelivery({
      mlflow,
      artifacts,
      experiments,
      holds,
      successes,
      keep: (seq, progress) => untilKept(() => journal.progress(seq, progress)),
      body: (seq, place) => untilKept(() => journal.body(seq, place)),
      bodyRoom: createBodyRoom(bodyRoomBytes),
      clock,
      random: Math.random,
    }),
    holds,
    maxActive: maxInFlight * activePerRequest,
    clock,
    untilKept,
    onEnd: (call, end) => reportEnd(log, call, end),
  });
  const usage =
    settings().record.usage === 'on'
      ? deliverUsage({
          journal,
          journalId: destination.journalId,
          destination: destination.identity,
          mlflow,
          experiments,
          experiment: () => usageExperiment(settings().record.experiment),
          hold: holds.mlflow,
          untilKept,
          clock,
          random: Math.random,
          over,
          onLoss: (day, what) =>
            log.warn({ day }, `MLflow does not take the usage of ${day}: ${what} will be missing`),
        }).catch(ignoreLostJournal)
      : undefined;
  return {
    dispatcher,
    ration,
    close: async () => {
      await transport.close();
      await usage;
      objects.close();
    },
  };
}
