import { z } from 'zod';

type Schema = z.core.$ZodType;

/** A setting, or a mapping of some, below its section. */
export interface SchemaNode {
  path: readonly string[];
  /** Of what is written in the file: without default and conversion. */
  schema: Schema;
}

/** The schema of what is written in the file: that of a value before defaults and conversions. */
export function asWritten(schema: Schema): Schema {
  const isWrapper =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  if (isWrapper) return asWritten(schema.unwrap());
  return schema instanceof z.ZodPipe ? asWritten(schema.in) : schema;
}

/** Whether it is the schema of a `secret`. */
export function isSecret(schema: Schema): boolean {
  return z.globalRegistry.get(asWritten(schema))?.['writeOnly'] === true;
}

/** What a mapping may hold, by name; undefined of anything else, and of one whose names are free. */
export function membersOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const written = asWritten(schema);
  return written instanceof z.ZodObject ? written.shape : undefined;
}

/** Every setting below the sections, a mapping of settings before what it holds. */
export function* settingsIn(schema: Schema, path: readonly string[] = []): Generator<SchemaNode> {
  for (const [name, member] of Object.entries(membersOf(schema) ?? {})) {
    const at = [...path, name];
    if (at.length > 1) yield { path: at, schema: asWritten(member) };
    yield* settingsIn(member, at);
  }
}

/** The schema of what stands at a path, such as `redact.rules.0`; undefined where nothing may. */
export function schemaAt(root: Schema, path: readonly string[]): Schema | undefined {
  return path.reduce<Schema | undefined>((at, step) => {
    const written = at && asWritten(at);
    if (written instanceof z.ZodArray) return written.element;
    return written && membersOf(written)?.[step];
  }, root);
}
