/** `npm run bench`: the figures that the README and the notes quote, each from one run here. */
import { parseArgs } from 'node:util';
import { measureAcknowledgement } from './acknowledge.ts';
import { measureBacklog } from './backlog.ts';
import { measurePeers } from './peers.ts';
import { measureRedaction } from './redact.ts';
import { measureStart } from './start.ts';
import { measureTraces } from './traces.ts';

const help = `Measures the sidecar on this machine.

  npm run bench                  all of it but for traces and peers, about eight minutes
  npm run bench -- start         start to /healthz and idle memory, compiled (run npm run build first)
  npm run bench -- acknowledge   200 calls a second for 30 s in posts of 100
  npm run bench -- backlog       200,000 waiting calls: opening, draining, memory
  npm run bench -- redact        reading calls, with and without patterns
  npm run bench -- traces        traces a second, beside a bare sender of the same
  npm run bench -- peers         requests to MLflow a call, beside LiteLLM's callback and MLflow's client
`;

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
});

if (values.help) {
  process.stdout.write(help);
} else {
  const wanted =
    positionals.length > 0 ? positionals : ['start', 'acknowledge', 'backlog', 'redact'];
  if (wanted.includes('start')) await measureStart();
  if (wanted.includes('acknowledge')) await measureAcknowledgement();
  if (wanted.includes('backlog')) await measureBacklog();
  if (wanted.includes('redact')) measureRedaction();
  if (wanted.includes('traces')) await measureTraces();
  if (wanted.includes('peers')) await measurePeers();
}
