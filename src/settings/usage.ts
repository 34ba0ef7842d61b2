import { z } from 'zod';
import { oneOf, wholeNumber } from './units.ts';

const keys = 'a list of model, team and key, each once at most';
const zone = 'the name of a time zone, such as Europe/Berlin';

/** How calls are added up over time; `record.usage` says whether they are. */
export const usageSchema = z
  .strictObject({
    interval: wholeNumber(1, 60)
      .default(5)
      .describe(
        'Minutes that a point of the charts stands for. MLflow draws 320 points of a line.',
      ),
    timeZone: z
      .string(zone)
      .refine(isTimeZone, zone)
      .default('UTC')
      .describe('The time zone of the days; each has a run.'),
    by: z
      .array(oneOf(['model', 'team', 'key']), keys)
      .refine((by) => new Set(by).size === by.length, keys)
      .prefault(['model', 'team'])
      .describe('By what calls are added up, beside all of them: model, team, key.'),
    maxSeries: wholeNumber(1, 1_000)
      .default(100)
      .describe('The most models, teams and keys with numbers of their own; the rest is (other).'),
  })
  .prefault({});

function isTimeZone(name: string): boolean {
  // The tables of all zones take 9 MB, which UTC can do without.
  if (name === 'UTC') return true;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
