import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { JournalDesk } from '../journal/journal.ts';

/** The control socket's name in the data folder. */
export const controlSocket = 'control.sock';

/** The longest path of a socket that every system takes, in bytes. */
const longestPath = 103;

const filter = z.strictObject({
  ids: z.array(z.int()).optional(),
  reason: z.string().optional(),
  since: z.number().optional(),
  model: z.string().optional(),
  team: z.string().optional(),
});

const replayRequest = z.strictObject({
  from: z.number().optional(),
  to: z.number().optional(),
  model: z.string().optional(),
  team: z.string().optional(),
  status: z.enum(['success', 'failure']).optional(),
  again: z.boolean().optional(),
});

/** What may be asked over the socket. */
const controlRequest = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('account') }),
  z.strictObject({ op: z.literal('health') }),
  z.strictObject({ op: z.literal('listDead'), filter, limit: z.int().min(1) }),
  z.strictObject({ op: z.literal('showDead'), id: z.int() }),
  z.strictObject({ op: z.literal('requeueDead'), filter }),
  z.strictObject({ op: z.literal('purgeDead'), filter }),
  z.strictObject({ op: z.literal('replay'), request: replayRequest }),
]);

export type ControlRequest = z.infer<typeof controlRequest>;

export interface ControlParts {
  journal: JournalDesk;
  health: () => Promise<{ accepting: boolean; report: object }>;
  /** Calls have become pending again. */
  onRequeued: () => void;
  now: () => number;
}

/**
 * The socket in the data folder over which the command line asks the daemon, since the journal
 * belongs to the daemon alone. Whoever may open the folder's files may use it, and nobody else.
 */
export function createControl(parts: ControlParts): FastifyInstance {
  const { journal, now } = parts;
  const app = Fastify({ forceCloseConnections: true });

  app.post('/', async (request, reply) => {
    const asked = controlRequest.safeParse(request.body);
    if (!asked.success) return reply.code(400).send({ error: z.prettifyError(asked.error) });
    return reply.send({ answer: (await answer(asked.data)) ?? null });
  });

  const answer = async (asked: ControlRequest): Promise<unknown> => {
    switch (asked.op) {
      case 'account':
        return journal.account();
      case 'health':
        return (await parts.health()).report;
      case 'listDead':
        return journal.listDead(asked.filter, asked.limit);
      case 'showDead':
        return journal.showDead(asked.id);
      case 'requeueDead': {
        const result = await journal.requeueDead(asked.filter, now());
        parts.onRequeued();
        return result;
      }
      case 'purgeDead':
        return journal.purgeDead(asked.filter, now());
      case 'replay': {
        const result = await journal.replay(asked.request, now());
        parts.onRequeued();
        return result;
      }
    }
  };
  return app;
}

/**
 * Listens on the socket in `folder`. A socket that a killed daemon left is in nobody's use: the
 * journal, which this process holds, belongs to one process alone.
 *
 * @returns Whether it listens; a folder's path may be too long for a socket.
 */
export async function listenOnSocket(control: FastifyInstance, folder: string): Promise<boolean> {
  const path = join(folder, controlSocket);
  if (Buffer.byteLength(path) > longestPath) return false;
  rmSync(path, { force: true });
  const before = process.umask(0o177);
  try {
    await control.listen({ path });
  } finally {
    process.umask(before);
  }
  return true;
}
