import type { LoadedSettings } from '../../settings/load-settings.ts';
import { reportProblem } from '../../settings/report-problems.ts';
import type { Settings } from '../../settings/schema.ts';
import { type Check, failure, ok, warning } from './check.ts';

const advice = 'Correct it; "validate" checks the settings alone.';

/** Every mistake in the settings, and what may be meant otherwise. */
export function checkSettings(loaded: LoadedSettings): Check[] {
  const where = `${loaded.file ?? 'no file'} and the environment`;
  if (loaded.kind === 'invalid') {
    return loaded.problems.map((problem) => failure('settings', reportProblem(problem), advice));
  }
  return [
    ok('settings', `${where} are valid`),
    ...loaded.warnings.map((text) => warning('settings', text, advice)),
    ...openToAll(loaded.settings),
  ];
}

function openToAll({ server }: Settings): Check[] {
  const isLoopback = /^(localhost|::1|127\..*)$/.test(server.host);
  if (server.authToken !== undefined || isLoopback) return [];
  return [
    warning(
      'settings',
      `anybody who reaches ${server.host}:${server.port} may post`,
      'Set SIDECAR_AUTH_TOKEN, here and where LiteLLM runs.',
    ),
  ];
}
