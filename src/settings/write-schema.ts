import { writeFileSync } from 'node:fs';
import { settingsJsonSchema } from './json-schema.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: write-schema FILE');
writeFileSync(file, `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
