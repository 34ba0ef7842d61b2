import type { HoldReason, Outcome } from '../mlflow/outcome.ts';

/** Why a request to MLflow came to nothing, and what to do about it, for a person. */
export function outcomeWords(outcome: Exclude<Outcome<unknown>, { kind: 'done' }>): string {
  switch (outcome.kind) {
    case 'hold':
      return `${holdWords[outcome.reason]} (${outcome.detail}).`;
    case 'retry':
    case 'ambiguous':
      return `MLflow failed, also after retries (${outcome.reason}). Try again later.`;
    case 'reject':
      return `MLflow refuses (${outcome.reason}): ${outcome.answer}`;
  }
}

const holdWords: Readonly<Record<HoldReason, string>> = {
  held: 'MLflow was not asked',
  unreachable: 'MLflow cannot be reached: look at its address, the network, and whether it runs',
  no_credentials: 'There are no AWS credentials; "auth" says what is found',
  no_such_server: 'SageMaker has no such tracking server; "server list" shows those there are',
  no_such_bucket: 'The artifact bucket is gone',
  unauthorized: 'MLflow does not take the credentials',
  forbidden:
    'These credentials may not do this: look at what they are allowed (on AWS, compare their policy with config/iam)',
  host_not_allowed:
    'MLflow takes no requests by this host name: start it with --allowed-hosts and the name',
  not_mlflow: 'What answers there is not MLflow',
  throttled: 'MLflow refuses for the rate, also after retries',
  unavailable: 'MLflow is not available: it starts, is in maintenance, or its proxy has lost it',
  unsupported: 'This MLflow cannot do that: it is too old, or has it switched off',
};
