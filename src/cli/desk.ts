import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'undici';
import { type JournalDesk, JournalError } from '../journal/journal.ts';
import { openJournal } from '../journal/journal-client.ts';
import { databaseFile } from '../journal/journal-files.ts';
import { journalOptions } from '../journal-options.ts';
import { describeDamage } from '../observe/describe-damage.ts';
import { type ControlRequest, controlSocket } from '../receive/control.ts';
import type { Settings } from '../settings/schema.ts';
import { printError } from './print.ts';

/** A journal to ask: the daemon's, over its control socket, or the file itself when nobody has it. */
export interface Desk extends JournalDesk {
  /** The daemon's own report; absent where no daemon runs. */
  health(): Promise<object | undefined>;
  /** The account did not add up when the file was opened, and has been set right since. */
  wasSetRight: boolean;
  close(): Promise<void>;
}

/** @throws JournalError when there is no journal, or one that neither way leads to. */
export async function openDesk(settings: Settings): Promise<Desk> {
  const folder = settings.journal.dir;
  const socket = join(folder, controlSocket);
  if (existsSync(socket)) {
    const client = new Client('http://localhost', { socketPath: socket });
    const remote = remoteDesk(client);
    const alive = await remote.health().catch(() => undefined);
    if (alive !== undefined) return remote;
    await client.destroy();
  }
  if (!existsSync(join(folder, databaseFile))) {
    throw new JournalError(
      'JOURNAL_UNAVAILABLE',
      `there is no journal in ${folder}; SIDECAR_DATA_DIR or journal.dir names its folder`,
    );
  }
  let wasSetRight = false;
  const journal = await openJournal(
    journalOptions(settings),
    () => undefined,
    (damage) => {
      wasSetRight = damage.account !== undefined;
      describeDamage(damage).forEach(printError);
    },
  );
  return { ...journal, health: async () => undefined, wasSetRight };
}

function remoteDesk(client: Client): Desk {
  const ask = async <Answer>(request: ControlRequest): Promise<Answer> => {
    const response = await client.request({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) {
      throw new JournalError('JOURNAL_UNAVAILABLE', `the daemon answered ${text}`);
    }
    const { answer }: { answer: Answer } = JSON.parse(text);
    return answer;
  };
  return {
    wasSetRight: false,
    account: () => ask({ op: 'account' }),
    health: () => ask({ op: 'health' }),
    listDead: (filter, limit) => ask({ op: 'listDead', filter, limit }),
    showDead: async (id) => (await ask({ op: 'showDead', id })) ?? undefined,
    requeueDead: (filter) => ask({ op: 'requeueDead', filter }),
    purgeDead: (filter) => ask({ op: 'purgeDead', filter }),
    replay: (request) => ask({ op: 'replay', request }),
    close: () => client.close(),
  };
}
