import { type CallAnswer, type LitellmClient, litellmClient } from '../support/litellm-client.ts';
import { keys } from '../support/litellm-keys.ts';

/** One call of the demo's load. */
export interface DemoCall {
  readonly key: string;
  readonly run: (client: LitellmClient) => Promise<CallAnswer>;
  /** How often LiteLLM logs it: a failed attempt that a retry or a fallback makes good counts too. */
  readonly events: number;
}

/** The calls of one round: those of the second round repeat prompts, which LiteLLM has cached. */
export type Round = readonly DemoCall[];

const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

/** About 60 calls as people make them, of all kinds and outcomes. */
export function demoRounds(): Round[] {
  const people = Object.keys(keys);
  const calls: DemoCall[] = [];
  const add = (count: number, call: (index: number) => DemoCall['run'], events = 1) => {
    for (let index = 0; index < count; index += 1) {
      const key = people[calls.length % people.length] ?? '';
      calls.push({ key, run: call(index), events });
    }
  };
  const about = (index: number) => {
    const metadata = { tags: ['demo', index % 2 === 0 ? 'web' : 'batch'] };
    return { user: `customer-${(index % 5) + 1}`, metadata, temperature: 0.2 };
  };
  const wait = (index: number) => `fake:delay=${60 + ((index * 97) % 400)}`;

  add(
    10,
    (i) =>
      ({ chat }) =>
        chat('gpt-4o-mini', `Name ${i + 2} rivers. ${wait(i)}`, about(i)),
  );
  add(
    5,
    (i) =>
      ({ chat }) =>
        chat('gpt-4o', `Summarise chapter ${i + 1}. fake:cached=${i * 128} ${wait(i)}`, about(i)),
  );
  add(
    4,
    (i) =>
      ({ chat }) =>
        chat('in-house', `Translate line ${i + 1}. ${wait(i)}`, about(i)),
  );
  add(
    3,
    (i) =>
      ({ chat }) =>
        chat('o3-mini', `Prove theorem ${i + 1}. fake:delay=700`),
  );
  add(
    4,
    (i) =>
      ({ chat }) =>
        chat('gpt-4o', `Write ${i + 1} lines of verse. ${wait(i)}`, { stream: true, ...about(i) }),
  );
  add(
    3,
    (i) =>
      ({ chat }) =>
        chat('gpt-4o-mini', `Tell story ${i + 1}. ${wait(i)}`, { stream: true }),
  );
  add(
    4,
    (i) =>
      ({ chat }) =>
        chat('gpt-4o', `How is the weather in city ${i + 1}?`, { tools: [weatherTool] }),
  );
  add(
    5,
    (i) =>
      ({ embed }) =>
        embed('text-embedding-3-small', [`paragraph ${i + 1}`, `its neighbour ${i}`]),
  );
  add(
    3,
    (i) =>
      ({ message }) =>
        message('claude', `Review file ${i + 1}. fake:cached=${i * 400} fake:cache-written=100`),
  );
  add(
    2,
    (i) =>
      ({ message }) =>
        message('claude', `Explain commit ${i + 1}. ${wait(i)}`, { stream: true }),
  );

  add(
    3,
    (i) =>
      ({ chat }) =>
        chat('gpt-4o', `Too fast ${i + 1} fake:rate-limit`, about(i)),
  );
  add(
    2,
    (i) =>
      ({ chat }) =>
        chat('slow', `Think long about ${i + 1}.`),
  );
  add(
    1,
    () =>
      ({ chat }) =>
        chat('gpt-4o-mini', 'Something vile fake:content-filter'),
  );
  add(
    1,
    () =>
      ({ chat }) =>
        chat('in-house', 'Crash, please fake:server-error'),
  );
  add(
    1,
    () =>
      ({ chat }) =>
        chat('gpt-4o', 'Break off fake:midstream', { stream: true }),
  );
  add(
    1,
    () =>
      ({ chat }) =>
        chat('no-such-model', 'Anybody there?'),
  );
  add(
    2,
    (i) =>
      ({ chat }) =>
        chat('flaky', `Try again, number ${i + 1}.`),
    2,
  );
  add(
    2,
    (i) =>
      ({ chat }) =>
        chat('primary', `Fall back, number ${i + 1}.`),
    2,
  );
  const badKey: DemoCall = {
    key: 'sk-nobody',
    run: ({ chat }) => chat('gpt-4o-mini', 'Let me in.'),
    events: 1,
  };
  const again = calls.slice(0, 5);
  return [[...calls, badKey], again];
}

/** Makes the calls, four at a time; a call that fails is part of the load. Returns the statuses. */
export async function runLoad(
  url: string,
  rounds: readonly Round[],
  onAnswer: (answered: number) => void,
): Promise<number[]> {
  const statuses: number[] = [];
  for (const round of rounds) {
    const left = [...round];
    const worker = async () => {
      for (let call = left.shift(); call !== undefined; call = left.shift()) {
        statuses.push((await call.run(litellmClient(url, call.key))).status);
        onAnswer(statuses.length);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  }
  return statuses;
}
