import { z } from 'zod';

const iamStatement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown().optional(),
  Condition: z.unknown().optional(),
  Principal: z.unknown().optional(),
});
export type IamStatement = z.infer<typeof iamStatement>;

const document = z.object({ Statement: z.array(iamStatement) });

/** All that a template says about permissions, at whatever place; or all statements of one policy. */
export function statementsIn(value: unknown): IamStatement[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = document.safeParse(value);
  return own.success ? own.data.Statement : Object.values(value).flatMap(statementsIn);
}
