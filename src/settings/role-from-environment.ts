import { z } from 'zod';
import { type GivenValue, variables } from './environment.ts';

const roles = z.array(z.looseObject({ roleArn: z.string() })).min(1);

/**
 * One variable names a role by its ARN alone, and the file a list with all that belongs to each. Where
 * the list ends in that very role it stays; else it is replaced, which is worth a warning.
 */
export function reconcileRole(
  content: Readonly<Record<string, unknown>>,
  values: readonly GivenValue[],
): { values: GivenValue[]; warnings: string[] } {
  const inFile = z.object({ aws: z.object({ assumeRole: roles }) }).safeParse(content);
  if (!inFile.success) return { values: [...values], warnings: [] };
  const last = inFile.data.aws.assumeRole.at(-1)?.roleArn;
  const warnings: string[] = [];
  const kept = values.filter(({ variable, value }) => {
    if (variables.get(variable)?.kind !== 'role') return true;
    const given = roles.safeParse(value).data?.at(-1)?.roleArn;
    if (given === last) return false;
    warnings.push(
      `${variable} replaces the list aws.assumeRole of the file: only the role that it names is assumed`,
    );
    return true;
  });
  return { values: kept, warnings };
}
