import { isDeepStrictEqual } from 'node:util';
import type { Settings } from './schema.ts';

/** The settings that take effect while the program runs; a section's name stands for all of it. */
const reloadable: ReadonlySet<string> = new Set([
  'server.authToken',
  'journal.retain',
  'destination.username',
  'destination.password',
  'destination.token',
  'destination.requestsPerSecond',
  'destination.share',
  'destination.replicas',
  'destination.timeout',
  'record.experiment',
  ...['record.runs', 'record.mark', 'record.failuresPerMinute', 'record.maxRunsPerDay'],
  ...['record.maxDrain', 'record.calls', 'archive.previews'],
  'redact',
  // The daemon itself uses none of these.
  'litellm',
  'shutdown',
  'log',
]);

/** Good for one server alone: they come into effect with the server that they are for. */
const credentials: ReadonlySet<string> = new Set([
  'destination.username',
  'destination.password',
  'destination.token',
]);

/** What becomes of settings that were read while the program runs. */
export interface Reload {
  /** Those to run with from now on: the new ones, but for those that take a restart. */
  settings: Settings;
  /** Paths of the settings that change now. */
  changed: string[];
  /** Paths of the settings that differ and take effect after a restart. */
  afterRestart: string[];
}

/** Compares the settings that the program runs with to those that were just `read`. */
export function reloadSettings(running: Settings, read: Settings): Reload {
  const changed: string[] = [];
  const afterRestart: string[] = [];
  const server = ({ destination }: Settings) => [
    destination.trackingUri,
    destination.trackingServerName,
  ];
  const isElsewhere = !isDeepStrictEqual(server(running), server(read));
  const canChange = (section: string, path: string) =>
    (reloadable.has(section) || reloadable.has(path)) && !(isElsewhere && credentials.has(path));
  const merge = (section: keyof Settings): [string, object] => {
    const before: Record<string, unknown> = { ...running[section] };
    const merged: Record<string, unknown> = { ...read[section] };
    for (const name of Object.keys({ ...before, ...merged })) {
      if (isDeepStrictEqual(before[name], merged[name])) continue;
      const path = `${section}.${name}`;
      if (canChange(section, path)) changed.push(path);
      else {
        afterRestart.push(path);
        if (before[name] === undefined) delete merged[name];
        else merged[name] = before[name];
      }
    }
    return [section, merged];
  };
  const sections = Object.keys(read) as (keyof Settings)[];
  // Every value comes from one of two whole sets of settings, under its own name.
  const settings = Object.fromEntries(sections.map(merge)) as unknown as Settings;
  return { settings, changed, afterRestart };
}
