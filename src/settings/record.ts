import { z } from 'zod';
import { duration, numberBetween, oneOf, text, wholeNumber } from './units.ts';

/** The placeholders that an experiment's name may hold. */
const experimentTemplate =
  /^(?:[^{}]|\{(?:team_id|team_alias|model_group|key_alias|date:(?=[^}]*[YMD])[YMD-]+)\})+$/;

const names = (what: string) =>
  z.array(text('a text'), 'a list of texts').prefault([]).describe(what);

/** What is recorded of calls, and which of them get a run. */
export const recordSchema = z
  .strictObject({
    experiment: z
      .string('a text')
      .max(500, 'a text of at most 500 characters')
      .regex(
        experimentTemplate,
        'a name, which may hold {team_id}, {team_alias}, {model_group}, {key_alias} and {date:YYYY-MM}',
      )
      .default('/litellm-monitoring')
      .describe(
        'The experiment of the runs. May hold {team_id}, {team_alias}, {model_group}, {key_alias}, {date:YYYY-MM}.',
      ),
    usage: oneOf(['on', 'off'])
      .default('on')
      .describe('Whether what calls add up to over time is recorded, in a run a day.'),
    calls: oneOf(['on', 'off'])
      .default('on')
      .describe('Whether all calls are kept in the calls table and the archive, in chunks.'),
    traces: oneOf(['auto', 'on', 'off'])
      .default('auto')
      .describe(
        'Whether calls become traces. auto: where the server takes many of them in a request.',
      ),
    runs: oneOf(['auto', 'all', 'errors', 'off'])
      .default('auto')
      .describe(
        'Which calls get a run of their own. auto: marked and failed ones, and of the others as many as the server bears.',
      ),
    mark: z
      .strictObject({
        slow: duration('1ms', '1d')
          .optional()
          .describe('Calls that took so long or longer are marked, and get a run in any case.'),
        cost: numberBetween(0, 1_000_000)
          .optional()
          .describe('Calls that cost so many US dollars or more.'),
        tags: names('Calls with one of these request tags.'),
        models: names('Calls for one of these models, by their full or public names.'),
        teams: names('Calls by one of these teams, by their ids or aliases.'),
      })
      .prefault({})
      .describe(
        'Which calls get a run in any case, before all others, such as {slow: 30s, cost: 1, tags: [audit], models: [gpt-4o], teams: [payments]}. One of the rules is enough.',
      ),
    failuresPerMinute: wholeNumber(0, 10_000)
      .default(20)
      .describe('Failed calls that get a run a minute, of each type of error, model and team.'),
    maxRunsPerDay: wholeNumber(1, 10_000_000)
      .default(20_000)
      .describe(
        'Runs a day, over time: MLflow becomes slower with every run, for good. A burst may use what earlier days left, up to as many again.',
      ),
    maxDrain: duration('1s', '1d')
      .prefault('30m')
      .describe(
        'How long it may take to send what waits for a run. Beyond it fewer calls get one.',
      ),
  })
  .prefault({});

const s3Folder = 'an address in S3, such as s3://BUCKET/litellm';

/** Where whole calls are kept for good. */
export const archiveSchema = z
  .strictObject({
    uri: z
      .string(s3Folder)
      .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[\w!.*'() =-]+)*\/?$/, s3Folder)
      .optional()
      .describe(
        'Where the archive goes in S3, by day and hour, as Athena reads it. Unset: to the chunks themselves.',
      ),
    previews: oneOf(['on', 'off'])
      .default('off')
      .describe('Whether the calls table shows the beginnings of questions and answers.'),
  })
  .prefault({});
