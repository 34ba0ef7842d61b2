import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { classify, throttleOf } from '../../src/mlflow/classify.ts';
import type { Answer, MlflowRequest, RequestName } from '../../src/mlflow/transport.ts';

const now = Date.parse('2026-11-24T12:00:00Z');

function classified(name: RequestName, answer: Answer) {
  const request: MlflowRequest = { name, method: 'POST', path: '/' };
  return classify(request, answer, now);
}

function answered(status: number, body: object | string = {}, retryAfter?: string): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answer', status, text, ...(retryAfter !== undefined && { retryAfter }) };
}

/** As AWS's services say no. */
function aws(status: number, name: string): Answer {
  return answered(status, { __type: name, message: 'a message' });
}

/** What a real MLflow answered, by the fixture's name, and what it means. */
const real: Record<string, string> = {
  'experiments-create-deleted-400': 'reject exists',
  'experiments-create-dup-400': 'reject exists',
  'experiments-get-by-name-404': 'reject missing',
  'runs-create-deleted-experiment-400': 'reject deleted',
  'runs-create-unknown-experiment-404': 'reject missing',
  'runs-log-batch-101-params-400': 'reject invalid',
  'runs-log-batch-bad-key-400': 'reject invalid',
  'runs-log-batch-deleted-run-400': 'reject deleted',
  'runs-log-batch-dup-params-400': 'reject invalid',
  'runs-log-batch-null-metric-400': 'reject invalid',
  'runs-log-batch-param-change-400': 'reject invalid',
  'runs-log-batch-unknown-run-404': 'reject missing',
};

test('answers of a real MLflow are understood', () => {
  const folder = new URL('../fixtures/mlflow/', import.meta.url);
  const files = readdirSync(folder).filter((file) => /-4\d\d\.json$/.test(file));
  const understood = files.map((file) => {
    const { status, response }: { status: number; response: object } = JSON.parse(
      readFileSync(new URL(file, folder), 'utf8'),
    );
    const outcome = classified('runs/log-batch', answered(status, response));
    const reason = outcome.kind === 'reject' ? ` ${outcome.reason}` : '';
    return [file.replace('.json', ''), outcome.kind + reason];
  });
  assert.deepEqual(Object.fromEntries(understood), real);
});

test('a busy database is retried, though MLflow calls it a bad request', () => {
  for (const message of [
    '(sqlalchemy.exc.TimeoutError) QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00',
    '(psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint',
    '(sqlite3.IntegrityError) UNIQUE constraint failed: params.key, params.run_uuid',
    '(sqlite3.OperationalError) database is locked',
    '(psycopg2.errors.DeadlockDetected) deadlock detected',
    '(psycopg2.InterfaceError) connection already closed',
    '(psycopg2.errors.ReadOnlySqlTransaction) cannot execute INSERT in a read-only transaction',
    "Can't reconnect until invalid transaction is rolled back.",
    '(psycopg2.errors.SerializationFailure) could not serialize access',
    "(pymysql.err.OperationalError) (1205, 'Lock wait timeout exceeded')",
  ]) {
    const outcome = classified(
      'runs/create',
      answered(400, { error_code: 'BAD_REQUEST', message }),
    );
    assert.equal(outcome.kind, 'retry', message);
  }
});

test('a database that is busy or gone tells nothing of the call, two requests that met may', () => {
  const suspect = (message: string) => {
    const answer = answered(400, { error_code: 'BAD_REQUEST', message });
    const outcome = classified('runs/create', answer);
    return 'suspect' in outcome ? outcome.suspect : undefined;
  };
  const quoting = "\n\n[SQL: INSERT INTO tags]\n[parameters: {'value': 'UniqueViolation'}]";
  assert.equal(suspect('QueuePool limit of size 5 overflow 10 reached'), undefined);
  assert.equal(suspect(`(psycopg2.InterfaceError) connection already closed${quoting}`), undefined);
  const unique = '(psycopg2.errors.UniqueViolation) duplicate key\nDETAIL:  Key (key)=(a) exists.';
  assert.equal(suspect(unique), 'runs/create');
});

test('what a call says cannot make the database’s trouble its own fault', () => {
  for (const said of [
    '(psycopg2.InterfaceError) connection already closed',
    '(psycopg2.errors.UniqueViolation) duplicate key\nDETAIL:  Key (key)=(value too long) exists.',
  ]) {
    const message = `${said}\n\n[SQL: INSERT INTO tags]\n[parameters: {'value': 'out of range'}]`;
    const outcome = classified(
      'runs/create',
      answered(400, { error_code: 'BAD_REQUEST', message }),
    );
    assert.equal(outcome.kind, 'retry', message);
  }
});

test('what can only be the fault of the values is not', () => {
  for (const message of [
    '(psycopg2.errors.StringDataRightTruncation) value too long for type character varying(250)',
    '(psycopg2.DataError) integer out of range',
    'Duplicate tag keys',
  ]) {
    const outcome = classified(
      'runs/create',
      answered(400, { error_code: 'BAD_REQUEST', message }),
    );
    assert.equal(outcome.kind, 'reject', message);
  }
});

test('a Retry-After of years is cut to a quarter of an hour', () => {
  for (const header of ['99999999999999999', '31536000', 'Tue, 24 Nov 2099 12:00:00 GMT']) {
    const outcome = classified('runs/create', answered(503, '', header));
    assert.ok(outcome.kind === 'hold' && outcome.afterMs === 900_000, header);
  }
});

test('what MLflow quotes of a request decides nothing', () => {
  const quoting = (status: number, code: string, message: string) =>
    classified('runs/log-batch', answered(status, { error_code: code, message }));
  const missing = quoting(
    404,
    'RESOURCE_DOES_NOT_EXIST',
    "no 'Tracking server could not be found'",
  );
  assert.ok(missing.kind === 'reject' && missing.reason === 'missing');
  const invalid = quoting(400, 'INVALID_PARAMETER_VALUE', "'x' must be in the 'active' state");
  assert.ok(invalid.kind === 'reject' && invalid.reason === 'invalid');
});

const table: [RequestName, Answer, string, string?][] = [
  ['runs/create', answered(200, '{}'), 'done'],
  ['runs/create', { kind: 'no_answer', sent: false, cause: 'ECONNREFUSED' }, 'hold', 'unreachable'],
  ['runs/create', { kind: 'no_answer', sent: true, cause: 'ECONNRESET' }, 'ambiguous'],
  ['runs/create', answered(500, { error_code: 'INTERNAL_ERROR', message: '' }), 'ambiguous'],
  ['runs/log-batch', answered(500, { error_code: 'INTERNAL_ERROR', message: '' }), 'retry'],
  ['runs/create', answered(502, '<html>'), 'ambiguous'],
  ['runs/create', answered(504, '<html>'), 'ambiguous'],
  ['runs/create', answered(524, '<html>'), 'ambiguous'],
  ['runs/create', answered(503, 'down'), 'hold', 'unavailable'],
  ['runs/create', answered(501), 'hold', 'unsupported'],
  [
    'artifacts/put',
    answered(503, { detail: 'Artifact serving is disabled' }),
    'hold',
    'unsupported',
  ],
  ['runs/create', answered(401), 'hold', 'unauthorized'],
  ['runs/create', answered(403, 'Forbidden'), 'hold', 'forbidden'],
  [
    'runs/create',
    answered(403, 'Invalid Host header - possible DNS rebinding attack detected'),
    'hold',
    'host_not_allowed',
  ],
  ['runs/create', answered(404, '<html>Not Found</html>'), 'hold', 'not_mlflow'],
  ['runs/create', answered(405, '<html>'), 'hold', 'not_mlflow'],
  ['artifacts/presigned-upload-url', answered(404, '<html>Not Found'), 'hold', 'unsupported'],
  ['artifacts/presigned-upload-url', answered(405, '<html>'), 'hold', 'unsupported'],
  [
    'artifacts/presigned-upload-url',
    answered(404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: '' }),
    'reject',
    'missing',
  ],
  ['runs/create', answered(302, ''), 'hold', 'unavailable'],
  ['runs/create', answered(408), 'retry'],
  ['runs/create', answered(429), 'hold', 'throttled'],
  ['runs/create', { kind: 'no_credentials', cause: 'ExpiredToken' }, 'hold', 'no_credentials'],
  ['runs/create', answered(400, 'Bad Request'), 'hold', 'not_mlflow'],
  ['runs/create', aws(400, 'ValidationException'), 'hold', 'not_mlflow'],
  ['runs/create', aws(400, 'AccessDeniedException'), 'hold', 'forbidden'],
  ['runs/create', aws(403, 'AccessDeniedException'), 'hold', 'forbidden'],
  ['runs/create', aws(400, 'ExpiredTokenException'), 'hold', 'unauthorized'],
  ['runs/create', aws(403, 'UnrecognizedClientException'), 'hold', 'unauthorized'],
  ['runs/create', aws(403, 'InvalidSignatureException'), 'hold', 'unauthorized'],
  ['runs/create', aws(400, 'com.amazon.coral.service#ThrottlingException'), 'hold', 'throttled'],
  ['runs/create', aws(503, 'ThrottlingException'), 'hold', 'throttled'],
  ['runs/create', aws(503, 'ServiceUnavailable'), 'hold', 'unavailable'],
  ['runs/create', aws(404, 'ResourceNotFound'), 'hold', 'not_mlflow'],
  ['runs/create', answered(404, 'Tracking server could not be found'), 'hold', 'no_such_server'],
  ['artifacts/put', answered(413, '<html>'), 'reject', 'invalid'],
  ['runs/create', { kind: 'held' }, 'hold', 'held'],
];

for (const [name, answer, kind, reason] of table) {
  const said =
    'cause' in answer
      ? answer.cause
      : 'status' in answer
        ? `${answer.status} ${answer.text.slice(0, 60)}`
        : 'what was not sent';
  test(`${said} to ${name} means ${kind}${reason ? `, ${reason}` : ''}`, () => {
    const outcome = classified(name, answer);
    assert.equal(outcome.kind, kind);
    if (reason !== undefined) assert.equal('reason' in outcome && outcome.reason, reason);
  });
}

test('Retry-After is understood in seconds and as a date, and never negative', () => {
  const after = (header: string) => {
    const outcome = classified('runs/create', answered(429, '', header));
    return outcome.kind === 'hold' ? outcome.afterMs : 'no hold';
  };
  assert.equal(after('7'), 7_000);
  assert.equal(after('Tue, 24 Nov 2026 12:00:09 GMT'), 9_000);
  assert.equal(after('Tue, 24 Nov 2026 11:00:00 GMT'), 0);
  assert.equal(after('soon'), undefined);
});

test('no more than the beginning of an answer is kept of a rejection', () => {
  const body = { error_code: 'INVALID_PARAMETER_VALUE', message: 'x'.repeat(10_000) };
  const outcome = classified('runs/log-batch', answered(400, body));
  assert.ok(outcome.kind === 'reject' && outcome.answer.length < 400);
});

for (const [form, text, errorType] of [
  ['the member __type', '{"__type":"com.amazon#ThrottlingException"}', undefined],
  ['the member code', '{"code":"ThrottlingException"}', undefined],
  ['the member Code', '{"Code":"Throttling","Message":"Rate exceeded"}', undefined],
  ['the header', '{"message":"Rate exceeded"}', 'ThrottlingException'],
  ['its words', '"Rate exceeded"', undefined],
  ['its words in a message', '{"message":"Rate exceeded"}', undefined],
  ['the header, with a URL', '', 'ThrottlingException:http://internal.amazon.com/coral/'],
] as const) {
  for (const status of [400, 503]) {
    test(`a ${status} is known for throttling by ${form}`, () => {
      const answer: Answer = {
        kind: 'answer',
        status,
        text,
        retryAfter: '3',
        ...(errorType !== undefined && { errorType }),
      };
      const outcome = classified('runs/create', answer);
      assert.ok(outcome.kind === 'hold' && outcome.reason === 'throttled');
      assert.equal(throttleOf(answer, now), 3_000);
    });
  }
}

test('words about rates in what MLflow itself says mean something else', () => {
  const body = { error_code: 'INVALID_PARAMETER_VALUE', message: 'Rate exceeded is no param' };
  const answer = answered(400, body);
  assert.equal(classified('runs/log-batch', answer).kind, 'reject');
  assert.equal(throttleOf(answer, now), undefined);
});

test('a 503 that says when to come again is a matter of rate for the gate, and no other one is', () => {
  const of = (retryAfter?: string): Answer => ({
    ...{ kind: 'answer', status: 503, text: 'Service Unavailable' },
    ...(retryAfter !== undefined && { retryAfter }),
  });
  assert.deepEqual(
    [of('3'), of()].map((answer) => throttleOf(answer, now)),
    [3_000, undefined],
  );
  const outcome = classified('runs/create', of('3'));
  assert.ok(outcome.kind === 'hold' && outcome.reason === 'unavailable');
});

test('a refusal that a header names is understood as one that the body names', () => {
  const answer: Answer = {
    kind: 'answer',
    status: 400,
    text: '',
    errorType: 'ExpiredTokenException',
  };
  const outcome = classified('runs/create', answer);
  assert.ok(outcome.kind === 'hold' && outcome.reason === 'unauthorized');
});

test("a proxy's code is not taken for one of MLflow's, which would end the call", () => {
  for (const body of [{ code: 'BAD_REQUEST' }, { code: 'RESOURCE_ALREADY_EXISTS' }, { code: 400 }])
    assert.equal(classified('runs/create', answered(400, body)).kind, 'hold');
});
