import { createAdmission } from '../../src/admit/admit-call.ts';
import { builtInOnly, type RedactionOptions } from '../../src/admit/redaction-options.ts';
import { readBatch } from '../../src/call/read-batch.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';
import { line, median } from './percentile.ts';

const rounds = 5;
const callsARound = 1500;

const all: RedactionOptions = {
  ...builtInOnly,
  patterns: ['e-mail', 'credentials', 'aws-keys', 'bearer-tokens', 'card-numbers', 'ip-addresses'],
};
const own: RedactionOptions = {
  ...all,
  customPatterns: [
    { name: 'ticket', regex: 'ACME-[0-9]+', replacement: '[ticket]' },
    { name: 'project', regex: '(?i)project\\s+bluebird', replacement: '[project]' },
  ],
};

/** Calls a second that one thread reads and makes fit for disk, by what is redacted. */
export function measureRedaction(): void {
  const [event = {}] = fixtureEvents('chat_success.json');
  const content =
    'The quick brown fox ordered 12 units (ref. 2024-11) at https://a.test/b?c=d; '.repeat(100);
  const post = Buffer.from(JSON.stringify([{ ...event, messages: [{ role: 'user', content }] }]));
  const plain = callsASecond(post, builtInOnly);
  process.stdout.write(`Reading and redacting calls of ${(post.length / 1000).toFixed(0)} kB\n`);
  line('nothing redacted by choice', `${plain.toFixed(0)} calls a second`);
  for (const [name, options] of [
    ['all built-in patterns', all],
    ['and two own ones', own],
  ] as const) {
    const rate = callsASecond(post, options);
    line(name, `${rate.toFixed(0)} calls a second, ${(plain / rate).toFixed(1)} times the work`);
  }
}

function callsASecond(post: Buffer, options: RedactionOptions): number {
  const admission = createAdmission(options);
  const rates = Array.from({ length: rounds }, () => {
    const began = performance.now();
    for (let call = 0; call < callsARound; call += 1) {
      for (const element of readBatch(post)) {
        if (element.kind === 'call') admission.admit(element.payload, 1);
      }
    }
    return callsARound / ((performance.now() - began) / 1000);
  });
  return median(rates);
}
