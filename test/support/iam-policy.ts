import { readFileSync } from 'node:fs';

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** The actions that policies in `config/iam` grant together, by name and sorted. */
export function grantedBy(...policies: readonly string[]): string[] {
  const granted = policies.flatMap((name) => {
    const policy: Policy = JSON.parse(readFileSync(`config/iam/${name}.json`, 'utf8'));
    return policy.Statement.flatMap(({ Action }) => Action);
  });
  return [...new Set(granted)].sort();
}
