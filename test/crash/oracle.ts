import assert from 'node:assert/strict';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MlflowRun, mlflowReader } from '../support/mlflow-reader.ts';
import { planted } from '../support/planted.ts';
import type { Random } from '../support/random.ts';

/** A call as it was posted, by what a run of it has to show. */
export interface HandedOut {
  readonly id: string;
  readonly event: Record<string, unknown>;
  readonly question: string;
  readonly tokens: number;
  readonly costUsd: number;
  readonly temperature: number;
  readonly failed: boolean;
  /** `open` until its sender knows; what LiteLLM lost is no obligation, but may be there. */
  fate: 'open' | 'acknowledged' | 'lost';
}

/** Hands out calls, each different from all others, and knows what has to become of them. */
export interface Oracle {
  readonly calls: readonly HandedOut[];
  /** @param padding Characters that make its question longer. */
  next(padding?: number): HandedOut;
  /** Reads every run of the experiment and compares it with what was posted. */
  check(url: string, experiment: string): Promise<void>;
}

export function createOracle(random: Random): Oracle {
  const calls: HandedOut[] = [];

  const next = (padding = 0): HandedOut => {
    const number = calls.length + 1;
    const prompt = random.between(1, 5_000);
    const completion = random.between(1, 5_000);
    const failed = random.chance(0.1);
    const id = `oracle-${number}`;
    const question = `question ${number}: ${planted} ${random.next()} ${'x'.repeat(padding)}`;
    const costUsd = random.between(1, 1_000) / 1_000;
    const temperature = random.between(0, 20) / 10;
    const event = litellmEvent(number, {
      litellm_call_id: id,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      response_cost: costUsd,
      model_parameters: { temperature },
      metadata: { user_api_key_team_id: `team-${number % 7}` },
      messages: [{ role: 'user', content: question }],
      ...(failed && {
        status: 'failure',
        error_str: 'broken',
        error_information: { error_message: 'broken', traceback: `Traceback ${id} ${planted}` },
      }),
    });
    const tokens = prompt + completion;
    const call: HandedOut = {
      ...{ id, event, question, tokens, costUsd, temperature, failed },
      fate: 'open',
    };
    calls.push(call);
    return call;
  };

  const check = async (url: string, experiment: string): Promise<void> => {
    const reader = mlflowReader(url);
    const runs = new Map<string, MlflowRun[]>();
    for (const run of await reader.runs(experiment)) {
      const id = run.tags['request_id'] ?? 'a run of no call';
      runs.set(id, [...(runs.get(id) ?? []), run]);
    }
    const numbers = calls.map(({ id, fate }) => `${id} ${fate}: ${runs.get(id)?.length ?? 0}`);
    const wrong = numbers.filter((line) => !/: 1$|lost: 0$/.test(line));
    assert.deepEqual(wrong, [], 'each acknowledged call has one run, and no call has two');
    const known = new Set(calls.map(({ id }) => id));
    assert.deepEqual(
      [...runs.keys()].filter((id) => !known.has(id)),
      [],
    );
    for (const call of calls) {
      const run = runs.get(call.id)?.[0];
      if (run !== undefined) assert.deepEqual(await shownBy(run), expectedOf(call));
    }

    async function shownBy(run: MlflowRun) {
      const failed = run.status === 'FAILED';
      const body: { request: { messages: { content: string }[] }; context: { id: string } } =
        JSON.parse(await reader.artifact(run, 'call.json'));
      return {
        id: run.tags['request_id'],
        status: run.status,
        tokens: run.metrics['total_tokens'],
        costUsd: run.metrics['cost_usd'],
        temperature: Number(run.params['temperature']),
        team: run.tags['team_id'],
        responseId: body.context.id,
        question: body.request.messages[0]?.content,
        traceback: failed ? await reader.artifact(run, 'traceback.txt') : undefined,
      };
    }
  };
  return { calls, next, check };
}

function expectedOf(call: HandedOut) {
  const { id, event, tokens, costUsd, temperature, failed, question } = call;
  const number = Number(id.replace('oracle-', ''));
  return {
    id,
    status: failed ? 'FAILED' : 'FINISHED',
    tokens,
    costUsd,
    temperature,
    team: `team-${number % 7}`,
    responseId: event['id'],
    question,
    traceback: failed ? `Traceback ${id} ${planted}` : undefined,
  };
}
