import type { PythonEnv } from './python-env.ts';

/**
 * The environment for a server of the tests: what every program needs, and nothing by which the
 * environment of whoever runs the tests could change its behaviour (credentials, settings, proxies).
 */
export function serverEnvironment(
  env: PythonEnv | undefined,
  own: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  const { HOME, LANG, PATH = '', TMPDIR } = process.env;
  const path = env === undefined ? PATH : `${env.dir}/bin:${PATH}`;
  return { HOME, LANG, TMPDIR, PATH: path, PYTHONUNBUFFERED: '1', DO_NOT_TRACK: '1', ...own };
}
