import { createAdmission } from '../admit/admit-call.ts';
import { experimentNaming } from '../admit/experiment-name.ts';
import { createKeepBroken } from '../admit/keep-broken.ts';
import { builtInOnly } from '../admit/redaction-options.ts';
import type { RunChoiceOptions } from '../admit/run-choice.ts';
import type { JournalPolicy } from './journal.ts';

/** Where nothing is said, each call gets a run and nothing else. */
const runForAll: RunChoiceOptions = {
  runs: 'all',
  mark: { tags: [], models: [], teams: [] },
  failuresPerMinute: 1,
  maxRunsPerDay: 1,
  maxDrainMs: 1,
};

/** A policy as the journal's thread works by it. */
export function compilePolicy(policy: JournalPolicy) {
  const { retainMs, experiment, redact = builtInOnly } = policy;
  return {
    retainMs,
    runs: policy.runs ?? runForAll,
    chunks: policy.chunks === true,
    traces: policy.traces === true,
    naming: experimentNaming(experiment),
    admission: createAdmission(redact),
    keepBroken: createKeepBroken(redact),
  };
}
