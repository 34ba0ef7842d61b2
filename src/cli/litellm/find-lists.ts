import {
  type Callback,
  callbackLists,
  isOn,
  listSection as settings,
  sidecarCallbacks,
} from './callback.ts';
import { type Edit, isMapping, listAt, type Path, valueAt } from './edit.ts';
import { byHand, type Finding, mendable } from './finding.ts';

const { all, ofSuccess, ofFailure } = callbackLists;

/** What is wrong with the lists that switch callbacks on. */
export function findInLists(config: unknown, { name }: Callback): Finding[] {
  const count = (path: Path) => listAt(config, path).filter((item) => item === name).length;
  const [inAll, success, failure] = [count(all), count(ofSuccess), count(ofFailure)];
  const found: Finding[] = [];
  if (inAll === 0 && (success === 0 || failure === 0)) {
    found.push(
      mendable(
        'not_posted',
        all.join('.'),
        success + failure === 0
          ? `${name} is in no list of callbacks: no call is posted.`
          : `${name} is in one list only: calls that ${success === 0 ? 'succeed' : 'fail'} are not posted.`,
        { kind: 'add', path: all, item: name },
      ),
    );
  } else {
    const drops: Edit[] = [
      ...(inAll > 1 ? [dropFrom(config, all, name)] : []),
      ...(inAll > 0 && success > 0 ? [dropFrom(config, ofSuccess, name)] : []),
      ...(inAll > 0 && failure > 0 ? [dropFrom(config, ofFailure, name)] : []),
    ];
    if (drops.length > 0) {
      found.push(
        mendable(
          'callback_twice',
          drops.map(({ path }) => path.join('.')).join(', '),
          `${name} is in two lists: "callbacks" means successes and failures both, and each registration may become a logger that posts every call again.`,
          ...drops,
        ),
      );
    }
  }
  return [
    ...found,
    ...findNoLists(config),
    ...findOthers(config, name),
    ...findMisplaced(config, name),
  ];
}

/** An item less; a list that would be empty goes as a whole, since LiteLLM does not start with one of nothing. */
function dropFrom(config: unknown, path: Path, item: string): Edit {
  const isLast = listAt(config, path).length === 1;
  return isLast ? { kind: 'remove', path } : { kind: 'drop', path, item };
}

/** LiteLLM goes through these lists as they are: nothing ends it, and of a text it takes each letter. */
function findNoLists(config: unknown): Finding[] {
  return [ofSuccess, ofFailure].flatMap((path) => {
    const members = valueAt(config, [settings]);
    const value = valueAt(config, path);
    if (!isMapping(members) || !Object.hasOwn(members, path[1]) || Array.isArray(value)) {
      return [];
    }
    return [
      mendable(
        'no_list',
        path.join('.'),
        'it is no list: LiteLLM does not start, or takes each letter of a text for a callback.',
        { kind: 'set', path, value: listAt(config, path) },
      ),
    ];
  });
}

function findOthers(config: unknown, name: string): Finding[] {
  const found: Finding[] = [];
  for (const other of sidecarCallbacks(config).slice(1)) {
    if (other.name === name || !isOn(config, other.name)) continue;
    found.push(
      byHand(
        'fault',
        'callback_double',
        `callback_settings.${other.name}`,
        other.block === undefined
          ? `${other.name} is switched on and has no block: LiteLLM takes it for a Python module and does not start.`
          : `${other.name} posts to the sidecar as well as ${name}: every call is sent twice.`,
        `Take one of them out of ${settings}.callbacks.`,
      ),
    );
  }
  const ours = new Set([name, ...sidecarCallbacks(config).map((one) => one.name)]);
  const blocks = valueAt(config, ['callback_settings']);
  for (const [other, block] of Object.entries(isMapping(blocks) ? blocks : {})) {
    if (
      valueAt(block, ['callback_type']) !== 'generic_api' ||
      ours.has(other) ||
      !isOn(config, other)
    ) {
      continue;
    }
    found.push(
      byHand(
        'hint',
        'other_generic_api',
        `callback_settings.${other}`,
        `${other} posts every call to another address; if that is the sidecar by another name, calls are sent twice.`,
        `Take ${other} out of ${settings}.callbacks if it posts to the sidecar: ${name} does.`,
      ),
    );
  }
  if (isOn(config, 'generic_api')) {
    found.push(
      byHand(
        'hint',
        'generic_api_without_retries',
        all.join('.'),
        'the name generic_api posts to GENERIC_LOGGER_ENDPOINT once, without retries; if that is the sidecar, calls are lost and sent twice.',
        `Take generic_api out where it posts to the sidecar: ${name} does.`,
      ),
    );
  }
  if (isOn(config, 'mlflow')) {
    found.push(
      byHand(
        'hint',
        'mlflow_callback',
        all.join('.'),
        "LiteLLM's own mlflow callback asks the tracking server from inside the proxy, which stands still while that server hangs.",
        'Take mlflow out: the sidecar writes runs and traces of every call.',
      ),
    );
  }
  return found;
}

/** `callbacks` is read in `litellm_settings` alone. */
function findMisplaced(config: unknown, name: string): Finding[] {
  const places = [
    ['callbacks'],
    ['general_settings', 'callbacks'],
    ['router_settings', 'callbacks'],
  ];
  return places
    .filter((path) => listAt(config, path).includes(name))
    .map((path) =>
      byHand(
        'fault',
        'ignored_setting',
        path.join('.'),
        'LiteLLM ignores it there.',
        `Take it out; it belongs in ${all.join('.')}.`,
      ),
    );
}

/** What a session's calls are joined by. */
export function findCorrelation(config: unknown): Finding[] {
  const path = [settings, 'request_correlation_in_logs'];
  if (valueAt(config, path) === true) return [];
  return [
    mendable(
      'no_correlation',
      path.join('.'),
      'without it session_id is empty in every log, and the calls of a session cannot be joined.',
      { kind: 'set', path, value: true },
    ),
  ];
}
