import { objectIn } from '../../src/call/fields.ts';
import { fixtureEvents } from '../support/litellm-fixture.ts';
import { createRandom, type Random } from '../support/random.ts';
import { day0, hour, minute } from '../support/usage-journal.ts';
import { claude, gpt4o, type Model, mini, type Work, works } from './day-people.ts';

/** A call of the day, as LiteLLM posts it. */
export interface DayCall {
  /** When it ended, in Unix milliseconds. */
  readonly at: number;
  readonly isFailure: boolean;
  readonly event: Record<string, unknown>;
}

/** When the pictures are taken: at six in the evening. */
export const now = day0 + 18 * hour;

/** What goes wrong on that day, between two moments of it. */
const rateLimit = { from: 10.4 * hour, to: 11.1 * hour, model: gpt4o, share: 0.6 };
const slowness = { from: 14.7 * hour, to: 15.4 * hour, model: claude, factor: 3, share: 0.14 };

/**
 * The calls of a day up to `now`, in the order in which they ended: few at night, most before and after
 * lunch; a model that is rate limited for a while, where a fallback makes half of it good; another that becomes
 * slow and times out. Payloads that a real LiteLLM posted, with what differs from call to call put in.
 */
export function dayCalls(): DayCall[] {
  const random = createRandom(20_261_124);
  const calls: DayCall[] = [];
  for (let at = day0; at < now; at += minute) {
    const due = callsAMinute((at - day0) / hour) * (0.7 + 0.6 * random.next());
    const count = Math.floor(due) + (random.chance(due % 1) ? 1 : 0);
    for (let index = 0; index < count; index += 1) {
      calls.push(...requestAt(random, at + random.next() * minute, calls.length));
    }
  }
  return calls.filter((call) => call.at < now).sort((a, b) => a.at - b.at);
}

/** By the hour of the day. */
function callsAMinute(time: number): number {
  const hill = (top: number, width: number) => Math.exp(-(((time - top) / width) ** 2));
  return 2.4 + 14 * hill(10.3, 1.5) + 13 * hill(14.8, 1.8) + 2.4 * hill(3, 0.5);
}

/** The calls of a request: one, or two where the first failed and another model made it good. */
function requestAt(random: Random, startsAt: number, number: number): DayCall[] {
  const work = weighted(random);
  const model = random.pick(work.models);
  const time = startsAt - day0;
  const isIn = ({ from, to, model: one }: { from: number; to: number; model: Model }) =>
    time >= from && time < to && model === one;
  const id = `call-${number + 1}`;
  const made = { random, work, id, startsAt };
  if (isIn(rateLimit) && random.chance(rateLimit.share)) {
    const first = failed({ ...made, model }, 'error_429.json', 240);
    if (random.chance(0.5)) return [first];
    return [first, succeeded({ ...made, model: mini, startsAt: first.at + 20 }, 1)];
  }
  if (isIn(slowness)) {
    if (random.chance(slowness.share)) {
      return [failed({ ...made, model }, 'error_timeout.json', 30_000)];
    }
    return [succeeded({ ...made, model }, slowness.factor)];
  }
  const stray = random.next();
  if (stray < 0.0015) return [failed({ ...made, model }, 'error_500.json', model.latencyMs)];
  if (stray < 0.0027) return [failed({ ...made, model }, 'error_content.json', model.latencyMs)];
  if (stray < 0.0035) return [failed({ ...made, model }, 'error_400.json', 120)];
  return [succeeded({ ...made, model }, 1)];
}

interface Made {
  random: Random;
  work: Work;
  model: Model;
  id: string;
  startsAt: number;
}

const [chat = {}] = fixtureEvents('chat_success.json');

function succeeded(made: Made, slower: number): DayCall {
  const { random, model, work, startsAt } = made;
  const isHit = random.chance(model.cached);
  const spread = () => Math.exp(0.45 * (random.next() + random.next() + random.next() - 1.5) * 2);
  const latency = isHit ? 2 + random.next() * 3 : model.latencyMs * slower * spread();
  const [prompt, completion] = model.tokens.map((usual) => Math.round(usual * spread()));
  const tokens = { prompt_tokens: prompt ?? 0, completion_tokens: completion ?? 0 };
  const [input, output] = model.price;
  const costs = {
    input_cost: (tokens.prompt_tokens * input) / 1e6,
    output_cost: (tokens.completion_tokens * output) / 1e6,
  };
  const cost = costs.input_cost + costs.output_cost;
  const total_tokens = tokens.prompt_tokens + tokens.completion_tokens;
  const cached_tokens = Math.round(tokens.prompt_tokens * model.promptCached * random.next());
  const usage = { ...tokens, total_tokens, prompt_tokens_details: { cached_tokens } };
  const [question, answer] = random.pick(work.talk);
  const isStream = model === claude && !isHit;
  const message = { role: 'assistant', content: answer };
  const response =
    model.callType === 'aembedding'
      ? { object: 'list', model: model.group, data: [], usage }
      : { model: model.group, choices: [{ index: 0, finish_reason: 'stop', message }], usage };
  return callOf(chat, made, latency, question, {
    ...{ ...tokens, total_tokens, response },
    cache_hit: isHit,
    stream: isStream,
    completionStartTime: (startsAt + (isStream ? latency * 0.25 : latency)) / 1000,
    response_cost: isHit ? 0 : cost,
    saved_cache_cost: isHit ? cost : 0,
    cost_breakdown: isHit ? {} : { ...costs, total_cost: cost },
  });
}

function failed(made: Made, fixture: string, latencyMs: number): DayCall {
  const [event = {}] = fixtureEvents(fixture);
  const [question] = made.random.pick(made.work.talk);
  // The fixtures' errors are all of one model.
  const ofModel: Record<string, unknown> = JSON.parse(
    JSON.stringify(event).replaceAll('gpt-4o-mini', made.model.group),
  );
  return callOf(ofModel, made, latencyMs * (0.9 + 0.2 * made.random.next()), question, {});
}

function callOf(
  event: Record<string, unknown>,
  { random, work, model, id, startsAt }: Made,
  latencyMs: number,
  question: string,
  own: Record<string, unknown>,
): DayCall {
  const at = startsAt + latencyMs;
  const { model_map_information: _, ...known } = event;
  return {
    at,
    isFailure: event['status'] === 'failure',
    event: {
      ...known,
      id: `chatcmpl-${Math.floor(random.next() * 1e12).toString(36)}`,
      litellm_call_id: id,
      trace_id: `trace-${id}`,
      session_id: `${work.user}-${Math.floor((startsAt - day0) / (20 * minute))}`,
      call_type: model.callType,
      model: model.name,
      model_group: model.group,
      custom_llm_provider: model.provider,
      api_base: `https://api.${model.provider}.com/v1`,
      startTime: startsAt / 1000,
      endTime: at / 1000,
      completionStartTime: at / 1000,
      request_tags: [work.tag],
      messages: [{ role: 'user', content: question }],
      metadata: {
        ...{ user_api_key_user_id: work.user, user_api_key_alias: work.key },
        ...{ user_api_key_team_id: `team-${work.team}`, user_api_key_team_alias: work.team },
        usage_object: own['response'] === undefined ? null : objectIn(own['response'])['usage'],
      },
      ...own,
    },
  };
}

function weighted(random: Random): Work {
  let left = random.next() * works.reduce((sum, { share }) => sum + share, 0);
  for (const work of works) {
    left -= work.share;
    if (left < 0) return work;
  }
  return random.pick(works);
}
