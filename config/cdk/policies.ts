import { readFileSync } from 'node:fs';
import { Aws } from 'aws-cdk-lib';

/** A policy as it is written; what stands in it is IAM's matter. */
export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

/** What takes the place of the words in capitals in the policies of `config/iam`. */
export interface Places {
  /** The tracking server's or app's. */
  mlflowArn: string;
  kind: 'tracking-server' | 'app';
  bucketArn: string;
  /** The folder in the bucket that is granted. */
  prefix: string;
}

const resources = {
  'tracking-server': 'arn:aws:sagemaker:REGION:ACCOUNT:mlflow-tracking-server/NAME',
  app: 'arn:aws:sagemaker:REGION:ACCOUNT:mlflow-app/APP_ID',
};

/**
 * The policies of these files of `config/iam` in one, so that what is granted is what is written and
 * tested there. Statements about the other kind of MLflow are left out.
 */
export function policyOf(files: readonly string[], places: Places): PolicyDocument {
  const other = resources[places.kind === 'app' ? 'tracking-server' : 'app'];
  const statements = files
    .flatMap((file) => readPolicy(file).Statement)
    .filter(({ Resource }) => ![Resource].flat().includes(other));
  return { Version: '2012-10-17', Statement: statements.map((one) => fill(one, places)) };
}

/** A policy of `config/iam` that says who may assume a role. */
export function trustOf(file: string): PolicyDocument {
  const { Version, Statement } = readPolicy(file);
  return { Version, Statement: Statement.map((one) => mapTexts(one, withAccount)) };
}

function readPolicy(file: string): PolicyDocument {
  return JSON.parse(readFileSync(new URL(`../iam/${file}.json`, import.meta.url), 'utf8'));
}

function fill(statement: PolicyDocument['Statement'][number], places: Places) {
  return mapTexts(statement, (text) =>
    text === resources[places.kind]
      ? places.mlflowArn
      : withAccount(text)
          .replace(/^arn:aws:s3:::BUCKET(?=\/|$)/, places.bucketArn)
          .replace('/PREFIX/', `/${places.prefix}/`),
  );
}

const withAccount = (text: string) => text.replaceAll('ACCOUNT', Aws.ACCOUNT_ID);

/** Changes each text that stands for a value, at any depth. */
function mapTexts<T>(value: T, change: (text: string) => string): T;
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, mapTexts(one, change)]),
  );
}
