import { ControlError, type MlflowControl, openMlflowControl } from '../../aws/mlflow-control.ts';
import { serviceEndpoint } from '../../aws/service-endpoint.ts';
import { awsAccess } from '../../destination.ts';
import type { Environment } from '../../settings/environment.ts';
import { loadSettings } from '../../settings/load-settings.ts';
import { reportProblems } from '../../settings/report-problems.ts';
import type { Settings } from '../../settings/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import { refusalWords } from './refusal-words.ts';
import { regionOf, type Target, targetOf } from './target.ts';

/** What a command on one tracking server or app works with. */
export interface OnTarget {
  control: MlflowControl;
  target: Target;
  settings: Settings;
}

/** Runs a command on the tracking server or app that is named, or that the settings name. */
export function withTarget(
  environment: Environment,
  name: string | undefined,
  json: boolean,
  command: (on: OnTarget) => Promise<number>,
): Promise<number> {
  return withSettings(environment, json, async (settings) => {
    const target = targetOf(settings, name);
    if (target.kind === 'none') return fail(target.text, target.code, json);
    return withControl(environment, settings, target.region, json, (control) =>
      command({ control, target, settings }),
    );
  });
}

/** Runs a command on all there are in the region of the settings. */
export function withRegion(
  environment: Environment,
  json: boolean,
  command: (control: MlflowControl, region: string) => Promise<number>,
): Promise<number> {
  return withSettings(environment, json, async (settings) => {
    const region = regionOf(settings);
    if (typeof region !== 'string') return fail(region.text, region.code, json);
    return withControl(environment, settings, region, json, (control) => command(control, region));
  });
}

async function withSettings(
  environment: Environment,
  json: boolean,
  command: (settings: Settings) => Promise<number>,
): Promise<number> {
  const loaded = loadSettings(environment);
  if (loaded.kind === 'valid') return command(loaded.settings);
  return fail(reportProblems(loaded.problems, loaded.file), exitCodes.settings, json);
}

async function withControl(
  environment: Environment,
  settings: Settings,
  region: string,
  json: boolean,
  command: (control: MlflowControl) => Promise<number>,
): Promise<number> {
  const endpoint = serviceEndpoint('SAGEMAKER', environment);
  const { credentials } = awsAccess(settings);
  const control = await openMlflowControl(region, credentials, endpoint);
  try {
    return await command(control);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return fail(refusalWords(error, region), exitCodes.failure, json);
  } finally {
    control.close();
  }
}
