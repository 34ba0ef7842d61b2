import { z } from 'zod';

const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DependsOn: z.array(z.string()).default([]),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});

export type CloudTemplate = z.infer<typeof template>;
export type CloudResource = CloudTemplate['Resources'][string];

/** @throws Error for what is no template of CloudFormation. */
export function parseTemplate(text: string): CloudTemplate {
  return template.parse(JSON.parse(text));
}

/** The resources of a type, such as `AWS::S3::Bucket`. */
export function resourcesOf({ Resources }: CloudTemplate, type: string): CloudResource[] {
  return Object.values(Resources).filter((resource) => resource.Type === type);
}

/** The one resource of a type; throws where there is another number of them. */
export function onlyResource(from: CloudTemplate, type: string): CloudResource {
  const [first, ...others] = resourcesOf(from, type);
  if (first === undefined || others.length > 0) {
    throw new Error(`There are ${others.length + (first ? 1 : 0)} of ${type}.`);
  }
  return first;
}

const ref = z.strictObject({ Ref: z.string() });
const getAtt = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const join = z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });

/**
 * A part of a template as CloudFormation would resolve it, with `Ref` and `Fn::GetAtt` replaced by what
 * `known` says for `ID` and `ID.ATTRIBUTE`; what it does not say becomes `<ID>`.
 */
export function resolved(value: unknown, known: Readonly<Record<string, string>> = {}): unknown {
  const of = (name: string) => known[name] ?? `<${name}>`;
  const isRef = ref.safeParse(value);
  if (isRef.success) return of(isRef.data.Ref);
  const isGetAtt = getAtt.safeParse(value);
  if (isGetAtt.success) return of(isGetAtt.data['Fn::GetAtt'].join('.'));
  const isJoin = join.safeParse(value);
  if (isJoin.success) {
    const [separator, parts] = isJoin.data['Fn::Join'];
    return parts.map((part) => resolved(part, known)).join(separator);
  }
  if (Array.isArray(value)) return value.map((one) => resolved(one, known));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, known)]));
}
