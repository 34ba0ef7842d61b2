import { readFileSync } from 'node:fs';

/** The schema of the settings, or of a part of them, as editors get it. */
export interface JsonSchema {
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  writeOnly?: boolean;
}

export const exampleFile = 'config/sidecar.yaml';
export const exampleText = readFileSync(exampleFile, 'utf8');
export const editorSchema: JsonSchema = JSON.parse(
  readFileSync('config/sidecar.schema.json', 'utf8'),
);

/** The file with each commented setting made one. */
export const uncommented = exampleText.replace(
  /^( *)# (\w+: \S.*)$/gm,
  (line, indent: string, setting: string) => (isSetting(setting) ? `${indent}${setting}` : line),
);

function isSetting(line: string): boolean {
  const name = line.split(':')[0] ?? '';
  return Object.values(editorSchema.properties ?? {}).some(
    (section) => name in (section.properties ?? {}),
  );
}
