import type { DriveEnd, News } from './drive-server.ts';
import type { Goal, Look } from './next-step.ts';
import type { Verb } from './switch-server.ts';

/** Milliseconds after which something is said although nothing has changed. */
const silence = 60_000;

/**
 * Tells of what happens while a server is on its way, for a person: lines for each status that is new,
 * and one each minute.
 */
export function createTeller(
  name: string,
  goal: Goal,
  now: () => number,
): (news: News) => string[] {
  const began = now();
  let told: string | undefined;
  let toldAt = began;
  return (news) => {
    const text = newsText(name, goal, news);
    const time = now();
    if (text === undefined || (text === told && time - toldAt < silence)) return [];
    told = text;
    toldAt = time;
    return [
      time - began < 1_000 ? text : `${text} (${lasting(Math.round((time - began) / 1000))})`,
    ];
  };
}

function newsText(name: string, goal: Goal, news: News): string | undefined {
  switch (news.kind) {
    case 'seen':
      if (news.step === 'wait') return `${name}: ${shown(news.look)}`;
      // Whatever else is seen is told by what follows.
      return news.step === 'blocked'
        ? `${name}: ${shown(news.look)}: ${news.why ?? ''}; that has to end first`
        : undefined;
    case 'asking':
      return `${name}: ${shown(news.look)}; asking SageMaker to ${goal === 'running' ? 'start' : 'stop'} it, which takes some minutes`;
    case 'unseen':
      return `${name}: SageMaker does not answer (${news.code}); asking again`;
  }
}

/** A status, and whether it serves where the status does not say. */
export function shown({ status, active }: Look): string {
  const obvious = /^(Created|Started|Stopped|Starting|Creating|CreateFailed)$/.test(status);
  return obvious ? status : `${status}, ${active ? 'active' : 'not active'}`;
}

/** How it ended. */
export function endWords(
  name: string,
  verb: Verb,
  goal: Goal,
  { kind, look, why, underWay }: DriveEnd,
  seconds: number,
): string {
  const state = goal === 'running' ? 'runs' : 'is stopped';
  const doing = goal === 'running' ? 'starting' : 'stopping';
  const halfDone =
    verb === 'restart' && goal === 'stopped' ? ', and "server start" starts it then' : '';
  const goesOn = underWay
    ? `SageMaker goes on ${doing} it: "server status" says how it is${halfDone}.`
    : `SageMaker was not asked to ${goal === 'running' ? 'start' : 'stop'} it yet.`;
  switch (kind) {
    case 'already':
      return `${name} ${state} already (${shown(look)}).`;
    case 'reached':
      return `${name} ${state} (${shown(look)}), after ${lasting(seconds)}.`;
    case 'begun':
      return `${name} is ${doing} (${shown(look)}); "server status" says how it is.`;
    case 'failed':
      return `${name} could not be ${verbs[verb]} (${shown(look)}): ${why ?? 'unknown'}.`;
    case 'timeout':
      return `${name} is not there yet after ${lasting(seconds)} (${shown(look)}). ${goesOn}`;
    case 'interrupted':
      return `Not waiting any longer: ${name} was last seen ${shown(look)}. ${goesOn}`;
  }
}

const verbs: Readonly<Record<Verb, string>> = {
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
};

/** `2 min 5 s`. */
export function lasting(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}
