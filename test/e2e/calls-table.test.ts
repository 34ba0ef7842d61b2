import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { createCredentialSource } from '../../src/aws/credentials.ts';
import { createS3 } from '../../src/aws/s3.ts';
import { admitCall } from '../support/admitted-call.ts';
import { startChunkLine } from '../support/chunk-line.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MemoryCall, memoryChunks } from '../support/memory-chunks.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { startMoto } from '../support/moto-server.ts';
import { planted } from '../support/planted.ts';
import { mlflowPins, type PythonEnv, pythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { failedEvent } from '../support/usage-journal.ts';

const mlflow: MlflowServer = await startMlflow();
after(() => mlflow.close());

/** 2026-11-24T13:50:00Z */
const begin = 1_795_528_200_000;

/** A call each 5 s: of two teams, on a fast model and a slow one, each tenth of them failed. */
function call(seq: number): MemoryCall {
  const receivedAt = begin + seq * 5_000;
  const slow = seq % 3 === 0;
  const seconds = { startTime: receivedAt / 1000, endTime: receivedAt / 1000 + (slow ? 4 : 0.5) };
  const changes = {
    ...seconds,
    completionStartTime: seconds.endTime,
    model_group: slow ? 'o3' : 'gpt-4o-mini',
    request_tags: ['prod', 'a,b'],
    metadata: { user_api_key_team_alias: seq % 2 === 0 ? 'payments' : 'search' },
    response_cost: seq % 2 === 0 ? 0.5 : 0.25,
  };
  const event = seq % 10 === 0 ? failedEvent(seq, seconds) : litellmEvent(seq, changes);
  const { record, body } = admitCall(event, receivedAt);
  return { seq, receivedAt, record, content: body };
}

/** 300 calls in three chunks, over two hours' partitions. */
const chunksOfCalls = () =>
  memoryChunks(
    [0, 100, 200].map((first, index) => ({
      id: index + 1,
      calls: Array.from({ length: 100 }, (_, offset) => call(first + offset)),
    })),
  );

async function python(env: PythonEnv, args: readonly string[], own = {}): Promise<string> {
  const environment = serverEnvironment(env, { MLFLOW_TRACKING_URI: mlflow.url, ...own });
  const { code, output } = await runProgram(env.python, args, {
    withinMs: 120_000,
    env: environment,
  });
  assert.equal(code, 0, output);
  return output;
}

test("load_table reads a day's calls from MLflow, and the script answers from them", {
  timeout: 240_000,
}, async (t) => {
  const chunks = chunksOfCalls();
  const line = await startChunkLine(t, mlflow.url, chunks);
  await line.pass(0);
  assert.equal(chunks.ended.size, 3, JSON.stringify(line.holds()));
  const reader = mlflowReader(mlflow.url);
  const runs = await reader.runs('/e/calls');
  assert.deepEqual(runs.map(({ runName }) => runName).sort(), [
    'calls 2026-11-24 13:50 – 13:58',
    'calls 2026-11-24 13:58 – 14:06',
    'calls 2026-11-24 14:06 – 14:14',
  ]);

  const env = await pythonEnv(mlflowPins);
  const program = [
    'import mlflow, sys',
    'client = mlflow.MlflowClient()',
    'experiment = client.get_experiment_by_name("/e/calls").experiment_id',
    'table = client.load_table(experiment, "calls.json", run_ids=sys.argv[1:])',
    'print(len(table), table["record_id"].nunique(), round(table["cost_usd"].sum(), 6))',
    'print(list(table.columns)[:3], table["request_tags"].iloc[1], table["cache_hit"].dtype)',
  ];
  const ids = runs.map(({ runId }) => runId);
  const read = await python(env, ['-c', program.join('\n'), ...ids]);
  // Of 300 calls 30 failed; 120 of the others cost 0.5, 150 cost 0.25.
  assert.match(read, /^300 300 97\.5$/m);
  assert.match(read, /^\['time', 'model_group', 'team_alias'\] \['prod', 'a,b'\] bool$/m);

  const answers = await python(env, [
    ...['docs/analyse_calls.py', '2026-11-24'],
    ...['--experiment', '/e/calls'],
  ]);
  assert.match(answers, /^300 calls on 2026-11-24$/m);
  assert.match(answers, /^payments +150 .* 60\.0$/m);
  assert.match(answers, /^search +150 .* 37\.5$/m);
  assert.match(
    answers,
    /^model_group *\no3 +90 +4000\.0 +4000\.0\ngpt-4o-mini +180 +500\.0 +500\.0$/m,
  );
  assert.match(answers, /^rate_limit +RateLimitError +30$/m);
});

const archiveUri = 's3://my-bucket/litellm/calls';

/** The queries of the documentation. */
function documentedQueries(): string[] {
  const text = readFileSync('docs/calls.md', 'utf8');
  const blocks = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);
  return blocks.filter((sql) => sql.includes('read_json'));
}

async function storeAt(t: TestContext, moto: Awaited<ReturnType<typeof startMoto>>) {
  const before = { ...process.env };
  process.env['AWS_ENDPOINT_URL_S3'] = moto.url;
  const credentials = createCredentialSource({
    fetch: async () => ({ accessKeyId: 'AKIAMOTO', secretAccessKey: 'moto', source: 'a test' }),
    now: Date.now,
    random: Math.random,
  });
  const objects = createS3({ region: 'eu-west-1', credentials, hasOwnEndpoint: true });
  t.after(() => {
    objects.close();
    const endpoint = before['AWS_ENDPOINT_URL_S3'];
    if (endpoint === undefined) delete process.env['AWS_ENDPOINT_URL_S3'];
    else process.env['AWS_ENDPOINT_URL_S3'] = endpoint;
  });
  return objects;
}

test('DuckDB reads the archive by its partitions, with the queries of the documentation', {
  timeout: 240_000,
}, async (t) => {
  const moto = await startMoto();
  t.after(() => moto.close());
  await moto.makeBucket('my-bucket');
  const objects = await storeAt(t, moto);
  const chunks = chunksOfCalls();
  const line = await startChunkLine(t, mlflow.url, chunks, { archive: archiveUri, objects });
  await line.pass(0);
  assert.equal(chunks.ended.size, 3, JSON.stringify(line.holds()));

  const folder = tempFolder(t);
  const stored = await moto.objects('my-bucket');
  assert.deepEqual([...stored.keys()].sort(), [
    'litellm/calls/dt=2026-11-24/hour=13/j-1.jsonl.gz',
    'litellm/calls/dt=2026-11-24/hour=13/j-2.jsonl.gz',
    'litellm/calls/dt=2026-11-24/hour=14/j-3.jsonl.gz',
  ]);
  for (const [key, content] of stored) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), content);
  }

  const env = await pythonEnv(['duckdb==2.0.1']);
  const queries = documentedQueries().map((sql) => sql.replaceAll('s3://my-bucket', folder));
  assert.ok(queries.length >= 3);
  const program = [
    'import duckdb, json, sys',
    'answers = [duckdb.sql(query).fetchall() for query in json.load(open(sys.argv[1]))]',
    'print(json.dumps(answers, default=str))',
  ];
  const asked = join(folder, 'queries.json');
  writeFileSync(asked, JSON.stringify(queries));
  const answers = JSON.parse(await python(env, ['-c', program.join('\n'), asked]));
  assert.deepEqual(answers[0], [
    ['payments', 150, 60],
    ['search', 150, 37.5],
  ]);
  // 120 calls before 14:00, a tenth of which failed.
  assert.deepEqual(answers[1], [
    ['o3', 36, 4000],
    ['gpt-4o-mini', 72, 500],
  ]);
  assert.deepEqual(answers[2], [['rate_limit', 'RateLimitError', 30, `question 290 ${planted}`]]);
});
