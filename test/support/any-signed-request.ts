import fc from 'fast-check';
import type { OutgoingRequest } from '../../src/aws/authorizer.ts';
import type { AwsCredentials } from '../../src/aws/credentials.ts';
import { mlflowEndpoint, mlflowResource } from '../../src/aws/mlflow-resource.ts';
import type { SignedEndpoint } from '../../src/aws/sigv4.ts';

/** What goes into a signature. */
export interface AnySignedRequest {
  /** Its path has no query yet. */
  request: OutgoingRequest & { body?: string };
  query: [name: string, value: string][];
  endpoint: SignedEndpoint;
  credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;
  /** Unix milliseconds. */
  now: number;
}

/** Letters of any script, and what signers may encode differently. */
const word = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.stringMatching(/^[ +*'()!~%&=/?#;:@,$.é"<>\\^`|{}-]{1,8}$/),
);

/** A piece of a path in the ways in which clients write it; an empty one, or dots, a signature leaves out. */
const segment = fc.oneof(
  { arbitrary: word.map(encodeURIComponent), weight: 6 },
  {
    arbitrary: word.map((written) => encodeURI(written).replace(/[/?#]/g, '-')),
    weight: 2,
  },
  { arbitrary: fc.constantFrom('', '.', '..', '...', '%2F', '%2E', '%41', '%c3%a9'), weight: 1 },
);

const name = word.filter((written) => !notSignable.test(written));

/** aws4 leaves the one out of what it signs, Amazon's signer the other; no request of MLflow has either. */
const notSignable = /^(__proto__|x-amz-signature)$/i;

/** What a header may hold; blanks at its ends are not its own. */
const headerValue = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);

const headers = fc.record(
  {
    accept: headerValue,
    'x-note': headerValue,
    'x-amzn-note': headerValue,
    'mlflow-tag': headerValue,
  },
  { requiredKeys: [] },
);

const arns = [
  'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs',
  'arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:mlflow-tracking-server/a-b-c',
  'arn:aws:sagemaker:ap-southeast-2:111122223333:mlflow-app/app-7BMBBX3TS2CZ',
];

const endpoint = fc
  .tuple(
    fc.constantFrom(...arns),
    fc.constantFrom(undefined, 'https://vpce.example', 'http://127.0.0.1:8080'),
  )
  .map(([arn, custom]) => mlflowEndpoint(mlflowResource(arn), custom));

const credentials = fc.record(
  {
    accessKeyId: fc.stringMatching(/^[AK]SIA[A-Z2-7]{4,16}$/),
    secretAccessKey: fc.stringMatching(/^[\w+/=]{1,40}$/),
    sessionToken: fc.stringMatching(/^[\w+/=]{1,400}$/),
  },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
);

const withoutBody = fc.record({ method: fc.constantFrom('GET', 'DELETE'), headers });
const withBody = fc.record({
  method: fc.constantFrom('POST', 'PUT', 'PATCH'),
  headers: headers.map((given) => ({ ...given, 'content-type': 'application/json' })),
  body: fc.oneof(fc.string({ unit: 'binary' }), fc.json()).map((text) => text.toWellFormed()),
});

/** Requests that a client might sign, and everything that their signature depends on. */
export const anySignedRequest: fc.Arbitrary<AnySignedRequest> = fc
  .record({
    rest: fc.oneof(withoutBody, withBody),
    segments: fc.array(segment, { maxLength: 5 }),
    query: fc.array(fc.tuple(name, word), { maxLength: 4 }),
    endpoint,
    credentials,
    now: fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2099, 0) }),
  })
  .map(({ rest, segments, ...more }) => ({
    request: { ...rest, path: `/${segments.join('/')}` },
    ...more,
  }));

/** A query in the ways in which clients write it: blanks as `+` or `%20`, few signs encoded or many. */
export const queryWriters: readonly ((query: [string, string][]) => string)[] = [
  (query) => new URLSearchParams(query).toString(),
  (query) => query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&'),
  (query) => query.map((pair) => pair.map(encodeAll).join('=')).join('&'),
];

function encodeAll(text: string): string {
  return Buffer.from(text).reduce(
    (written, byte) => `${written}%${byte.toString(16).padStart(2, '0')}`,
    '',
  );
}
