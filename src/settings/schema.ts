import { z } from 'zod';
import { trackingServerName } from '../aws/mlflow-resource.ts';
import { artifactsSchema, awsSchema, trackingUri } from './aws.ts';
import { litellmSchema } from './litellm.ts';
import { archiveSchema, recordSchema } from './record.ts';
import { redactSchema } from './redact.ts';
import { duration, numberBetween, oneOf, secret, size, text, wholeNumber } from './units.ts';
import { usageSchema } from './usage.ts';

const serverName = 'a name of 1 to 256 letters, digits and hyphens';
const printable = 'a text of printable ASCII characters';
const printableToken = 'a text of 8 printable ASCII characters or more, without spaces';

/**
 * Every setting, with its default and what it is for. The file, the environment, the JSON Schema for
 * editors and the messages all come from here.
 */
export const settingsSchema = z.strictObject({
  server: z
    .strictObject({
      host: text('a host name or IP address')
        .default('127.0.0.1')
        .describe('The address to listen on. 0.0.0.0 takes calls from anywhere: set a token then.'),
      port: wholeNumber(0, 65_535)
        .default(4100)
        .describe('The port to listen on; 0 takes any free one.'),
      authToken: secret(z.string(printableToken).regex(/^[\x21-\x7e]{8,}$/, printableToken))
        .optional()
        .describe('What LiteLLM must send as Authorization. Without a token anybody may post.'),
      maxBodyBytes: size('64KiB', '2GiB')
        .prefault('256MiB')
        .describe('The largest body that is taken, decoded. A larger one is lost, with 413.'),
      maxInflightBytes: size('1MiB', '16GiB')
        .prefault('512MiB')
        .describe(
          'Bytes of bodies under way at once, decoded. Beyond them posts are answered 503.',
        ),
    })
    .prefault({}),
  journal: z
    .strictObject({
      dir: text('a folder')
        .default('data')
        .describe('The folder of the journal: on a local disk, for one sidecar alone.'),
      maxBytes: size('16MiB', '64TiB')
        .optional()
        .describe(
          'The most it takes on disk. Unset: the smaller of 10GB and 70 % of what is free.',
        ),
      retain: duration('0s', '30d')
        .prefault('1h')
        .describe('How long calls are kept after they were recorded.'),
      dedupeEntries: wholeNumber(1_000, 100_000_000)
        .default(5_000_000)
        .describe('Ids of calls gone by that are remembered, for 24 h at most, to know repeats.'),
      ephemeral: z
        .boolean('true or false')
        .default(false)
        .describe(
          'Whether the disk goes with the sidecar, as in a container without a volume: a stop then sends all that is pending in chunks first.',
        ),
    })
    .prefault({}),
  destination: z
    .strictObject({
      trackingUri: trackingUri
        .optional()
        .describe(
          "MLflow's URL, or the ARN of a tracking server or app of SageMaker. Unset: http://127.0.0.1:5000.",
        ),
      trackingServerName: z
        .string(serverName)
        .regex(trackingServerName, serverName)
        .optional()
        .describe('A tracking server of SageMaker by its name in aws.region, instead of its ARN.'),
      username: text('a text')
        .optional()
        .describe('The user name, for a server with basic authentication.'),
      password: secret(text('a text')).optional().describe('Its password.'),
      token: secret(z.string(printable).regex(/^[\x20-\x7e]+$/, printable))
        .optional()
        .describe('A bearer token, instead of user name and password.'),
      requestsPerSecond: numberBetween(0.1, 10_000)
        .optional()
        .describe(
          "The most requests a second. Unset: of SageMaker's, this sidecar's share of what the server bears; of others, as fast as they answer.",
        ),
      share: numberBetween(0.01, 1)
        .default(0.6)
        .describe(
          'The share of what a server of SageMaker bears that is used; people need the rest.',
        ),
      replicas: wholeNumber(1, 10_000)
        .default(1)
        .describe('How many sidecars use the server, and divide the share among them.'),
      maxInFlight: wholeNumber(1, 64)
        .default(8)
        .describe('The most requests at once; MLflow holds two database connections for each.'),
      timeout: duration('1s', '10m').prefault('30s').describe('How long to wait for an answer.'),
    })
    .prefault({}),
  record: recordSchema,
  usage: usageSchema,
  archive: archiveSchema,
  artifacts: artifactsSchema,
  aws: awsSchema,
  redact: redactSchema,
  litellm: litellmSchema,
  shutdown: z
    .strictObject({
      grace: duration('0s', '10m')
        .prefault('8s')
        .describe('How long a stop goes on delivering. The rest stays in the journal.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
        .default('info')
        .describe('The least severe messages that are written.'),
    })
    .prefault({}),
});

/** The settings as the program uses them: durations in milliseconds, sizes in bytes. */
export type Settings = z.output<typeof settingsSchema>;
