import { readFileSync } from 'node:fs';
import type { ResourceKind } from './sagemaker-edge/resource.ts';

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** The actions that the policies in `config/iam` grant a sidecar, by name. */
export function sidecarPolicy(kind: ResourceKind): string[] {
  const policy: Policy = JSON.parse(readFileSync(`config/iam/sidecar-${kind}.json`, 'utf8'));
  return policy.Statement.flatMap(({ Action }) => Action);
}
