import { type Logger, pino } from 'pino';

/** The program's log: JSON lines, or text for a person where standard output is a terminal. */
export async function createLog(level: string): Promise<Logger> {
  const base = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stdout.isTTY) return pino(base);
  const { PinoPretty } = await import('pino-pretty');
  return pino(base, PinoPretty({ sync: true, translateTime: 'SYS:HH:MM:ss' }));
}
