import { JournalError } from '../../journal/journal.ts';
import { member } from '../../mlflow/json-answer.ts';
import type { Settings } from '../../settings/schema.ts';
import { openDesk } from '../desk.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** So few years until a tracking server is very slow are worth a word. */
const fewYears = 3;

/** What the running daemon, or its journal, says of itself: its account, what holds it up, its pace. */
export async function checkRuns(settings: Settings): Promise<Check[]> {
  try {
    const desk = await openDesk(settings);
    try {
      const account = await desk.account();
      const { received, recorded, pending, dead, addsUp, detail } = account;
      const counts = `${received} calls received, ${recorded} recorded, ${pending} pending, ${dead} dead`;
      const report = await desk.health();
      return [
        report === undefined
          ? warning(
              'sidecar',
              `no daemon runs; ${counts}`,
              'Start it: npm start, or litellm-mlflow serve.',
            )
          : ok('sidecar', `the daemon runs; ${counts}`),
        ...(addsUp
          ? []
          : [
              failure(
                'sidecar',
                'the account does not add up',
                'Please report it, with the output of "verify --json".',
              ),
            ]),
        ...(account.trouble === undefined
          ? []
          : [
              failure(
                'sidecar',
                `the disk fails: ${account.trouble.message}`,
                'Look at the disk; LiteLLM posts again what is not kept.',
              ),
            ]),
        ...(dead === 0
          ? []
          : [warning('sidecar', `${dead} calls cannot be recorded`, '"dead list" says why.')]),
        ...heldDestinations(report),
        pace(detail.runs, report),
      ];
    } finally {
      await desk.close();
    }
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return error.code === 'JOURNAL_UNAVAILABLE'
      ? [warning('sidecar', error.message, 'Nothing to do where it has not run yet.')]
      : [failure('sidecar', error.message, 'The daemon cannot open it either.')];
  }
}

function heldDestinations(report: object | undefined): Check[] {
  const destinations = Object.entries(Object(member(report, 'destinations')));
  return destinations
    .filter(([, state]) => member(state, 'state') !== 'open')
    .map(([name, state]) =>
      failure(
        'sidecar',
        `${name} takes nothing since ${member(state, 'since')}: ${member(state, 'reason')}, ${member(state, 'detail')}`,
        'Nothing is lost; it goes on by itself when the reason is gone, which other lines here may name.',
      ),
    );
}

/** Runs are for life: at what pace there are more of them. */
function pace(runs: number, report: object | undefined): Check {
  const recording = member(member(report, 'recording'), 'runs');
  const perYear = member(recording, 'per_year');
  const years = member(recording, 'years_to_ten_million');
  const because = member(recording, 'because');
  const detail = `${runs} made by this sidecar${perYear === undefined ? '' : `, ${perYear} a year at the pace of the last hour (${because})`}`;
  return typeof years === 'number' && years < fewYears
    ? warning(
        'runs',
        `${detail}; ten million in ${years} years`,
        'Every run slows MLflow down for good: record.runs auto or errors, or a smaller record.maxRunsPerDay.',
      )
    : ok('runs', detail);
}
