import { isVariable, tokenVariable } from './callback.ts';
import { isMapping, type Path } from './edit.ts';
import { byHand, type Finding, mendable } from './finding.ts';

/** Whether a variable is within a longer text, which LiteLLM sends as it stands. */
export function isPartial(value: string): boolean {
  return value.includes('os.environ/') && !isVariable(value);
}

/**
 * What is wrong with the headers of a callback.
 *
 * @param path Of the callback's block.
 * @param hasToken Whether the sidecar wants one.
 */
export function findInHeaders(path: Path, headers: unknown, hasToken: boolean): Finding[] {
  const at = `${path.join('.')}.headers`;
  const authorize = {
    kind: 'set',
    path: [...path, 'headers', 'Authorization'],
    value: tokenVariable,
  } as const;
  if (!isMapping(headers)) {
    return [
      mendable(
        'headers_missing',
        at,
        'without headers, if only {}, LiteLLM takes the name of the callback for a Python module and does not start.',
        authorize,
      ),
    ];
  }
  const found: Finding[] = [];
  const names = Object.keys(headers);
  if (hasToken && !names.some((name) => name.toLowerCase() === 'authorization')) {
    found.push(
      mendable(
        'token_missing',
        at,
        'the sidecar has a token, and no Authorization is sent: each post is refused and lost.',
        authorize,
      ),
    );
  }
  for (const name of names) {
    const value = headers[name];
    if (typeof value !== 'string' || !(isPartial(value) || shellVariable.test(value))) continue;
    const [, variable] = /^Bearer +os\.environ\/(\w+)$/.exec(value) ?? [];
    const says = `a variable is replaced only as os.environ/NAME, and only where that is the whole value: "${shown(value)}" is sent as it stands.`;
    found.push(
      variable === undefined
        ? byHand(
            'fault',
            'header_literal',
            `${at}.${name}`,
            says,
            'Put the whole value into one variable and write os.environ/NAME.',
          )
        : mendable('header_literal', `${at}.${name}`, says, {
            kind: 'set',
            path: [...path, 'headers', name],
            value: `os.environ/${variable}`,
          }),
    );
  }
  return found;
}

/** Where a value names a variable as shells have it; a lone `$` is a sign like any other in a token. */
const shellVariable = /\$\{[A-Za-z_]\w*\}|^(?:Bearer +)?\$[A-Z_][A-Z0-9_]*$/;

/** A value by the variable in it, since what stands around that may be a secret. */
export function shown(value: string): string {
  const variable = /os\.environ\/[A-Z_][A-Z0-9_]*|\$\{[A-Z_][A-Z0-9_]*\}/.exec(value)?.[0] ?? '';
  return value.startsWith('Bearer ') ? `Bearer ${variable || '…'}` : `…${variable}`;
}
