import type { Account, DetailCounts } from '../journal/account.ts';
import type { Environment } from '../settings/environment.ts';
import { exitCodes } from './exit-codes.ts';
import { print, printJson, printTable } from './print.ts';
import { withDesk } from './with-desk.ts';

/** `status`: the account, and what the daemon says of itself where one runs. */
export function status(environment: Environment, json: boolean): Promise<number> {
  return withDesk({ environment, json }, async (desk) => {
    const account = lasting(await desk.account());
    const daemon = await desk.health();
    if (json) {
      printJson({ running: daemon !== undefined, account, ...(daemon && { daemon }) });
      return exitCodes.ok;
    }
    print(daemon === undefined ? 'No daemon runs.' : 'The daemon runs.');
    printAccount(account);
    for (const [name, state] of destinationsIn(daemon)) print(`${name}: ${state}`);
    for (const line of recordingLines(daemon)) print(line);
    return exitCodes.ok;
  });
}

/** `verify`: whether every call received is accounted for; exit 1 when one is not. */
export function verify(environment: Environment, json: boolean): Promise<number> {
  return withDesk({ environment, json }, async (desk) => {
    const account = lasting(await desk.account());
    const addsUp = account.addsUp && !desk.wasSetRight;
    if (json) printJson({ ...account, addsUp });
    else {
      printAccount(account);
      print(
        desk.wasSetRight
          ? 'The account did NOT add up; it has been set right.'
          : `The account ${addsUp ? 'adds' : 'does NOT add'} up.`,
      );
    }
    return addsUp ? exitCodes.ok : exitCodes.failure;
  });
}

/**
 * What the journal itself knows, the same whether a daemon runs or not. How fast MLflow is, whether it
 * takes traces and which successes get a run is a matter of the moment, which the daemon tells.
 */
function lasting(account: Account): LastingAccount {
  const {
    tracesWaived: _waived,
    sampleRate: _rate,
    limitedBy: _limit,
    runsPerSecond: _pace,
    runsChosenPerSecond: _chosen,
    ...detail
  } = account.detail;
  return { ...account, detail };
}

interface LastingAccount extends Omit<Account, 'detail'> {
  detail: Omit<
    DetailCounts,
    'tracesWaived' | 'sampleRate' | 'limitedBy' | 'runsPerSecond' | 'runsChosenPerSecond'
  >;
}

function printAccount(account: LastingAccount): void {
  const shed = Object.entries(account.shed).map(([reason, calls]) => [`shed (${reason})`, calls]);
  const rows: [unknown, unknown][] = [
    ['received', account.received],
    ['recorded', account.recorded],
    ['pending', account.pending],
    ['dead', account.dead],
    ['duplicate', account.duplicate],
    ...shed.map(([name, calls]): [unknown, unknown] => [name, calls]),
    [
      'bytes',
      `${account.bytes} of ${account.maxBytes}${account.accepting ? '' : ': full, posts are put off'}`,
    ],
    ...givenUpRows(account),
    ...detailRows(account.detail),
  ];
  printTable(rows.map((row) => row.map(String)));
}

/** Details that calls had to do without; nothing where none had to. */
function givenUpRows({ bodiesShed, bodiesUnvetted, detail }: LastingAccount): [string, string][] {
  const given = [
    [bodiesShed, 'bodies for want of room'],
    [bodiesUnvetted, 'bodies that the redactor did not look at'],
    [detail.chunksGivenUp, 'chunks'],
    [detail.tracesGivenUp, 'traces'],
  ] as const;
  const words = given.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
  return words.length === 0 ? [] : [['given up', words.join(', ')]];
}

/** What is written of calls beside their counts, and what waits for it. */
function detailRows(detail: LastingAccount['detail']): [string, string][] {
  const none = Object.entries(detail.noRun).map(([reason, calls]) => `${calls} ${reason}`);
  const runs = [
    `${detail.runs} complete, ${detail.runsPending} waiting`,
    ...(none.length === 0 ? [] : [`without one: ${none.join(', ')}`]),
  ];
  return [
    ['runs', runs.join('; ')],
    ['chunks', `${detail.chunks} kept; ${detail.chunkPending} calls waiting`],
    ['traces', `${detail.traces} sent; ${detail.tracesPending} calls waiting`],
  ];
}

/** The destinations of a health report, each with its state and why it is so. */
function destinationsIn(report: object | undefined): [string, string][] {
  if (report === undefined || !('destinations' in report)) return [];
  return Object.entries(report.destinations ?? {}).map(([name, state]) => [
    name,
    Object.values(state ?? {}).join(', '),
  ]);
}

/** Which calls get a run or a trace, why no more, and what that leads to, as the daemon says it. */
function recordingLines(report: object | undefined): string[] {
  const recording = fieldsOf(fieldsOf(report)['recording']);
  const runs = fieldsOf(recording['runs']);
  const traces = fieldsOf(recording['traces']);
  const seconds = (name: string) => `${Number(runs[name] ?? 0)} s`;
  if (runs['because'] === undefined) return [];
  return [
    [
      `runs: ${runs['because']}`,
      `${Number((Number(runs['sample_rate']) * 100).toPrecision(3))} % of the successes get one`,
      ...(runs['per_second'] === undefined ? [] : [`${runs['per_second']} a second`]),
      `${seconds('behind_seconds')} behind`,
    ].join('; '),
    ...(runs['caught_up_in_seconds'] === undefined
      ? []
      : [`what waits for a run is sent in ${seconds('caught_up_in_seconds')}`]),
    ...(runs['years_to_ten_million'] === undefined
      ? []
      : [
          `${runs['per_year']} runs a year at this pace; ten million in ${runs['years_to_ten_million']} years`,
        ]),
    `traced: ${traces['because']}`,
  ];
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
