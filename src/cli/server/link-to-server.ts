import { ControlError, type LinkLife } from '../../aws/mlflow-control.ts';
import type { Environment } from '../../settings/environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { print, printError, printJson } from '../print.ts';
import { lifeWords } from './link-life.ts';
import { openBrowser } from './open-browser.ts';
import { type OnTarget, withTarget } from './with-control.ts';

/**
 * `server url`: a link to MLflow's pages, which lets in whoever has it. It goes to standard output and
 * nowhere else.
 */
export function linkToServer(
  environment: Environment,
  name: string | undefined,
  life: LinkLife,
  { open, json }: { open: boolean; json: boolean },
): Promise<number> {
  return withTarget(environment, name, json, async (on) => {
    const { control, target } = on;
    const url = await (target.kind === 'mlflow-app'
      ? control.linkToApp(target.arn, life)
      : control.linkToServer(target.name, life));
    const warning = await whyItMayNotWork(on);
    if (warning !== undefined) printError(warning);
    const opened = open && (await openBrowser(url, process.platform));
    if (json) {
      printJson({
        ...(!opened && { url }),
        opened,
        expiresInSeconds: life.expires,
        sessionSeconds: life.session,
      });
      return exitCodes.ok;
    }
    if (open && !opened) printError('No browser could be opened; this is the link:');
    if (!opened) print(url);
    printError(
      opened
        ? `Opened in the browser; the session lasts ${lifeWords(life.session)}.`
        : `It works once, within ${lifeWords(life.expires)}; the session lasts ${lifeWords(life.session)}.`,
    );
    return exitCodes.ok;
  });
}

/** A link is given out for a server that is stopped, too. Where it may not be described, nobody knows. */
async function whyItMayNotWork({ control, target }: OnTarget): Promise<string | undefined> {
  if (target.kind === 'mlflow-app') return undefined;
  try {
    const { status, active } = await control.describeServer(target.name);
    if (active !== false) return undefined;
    return `${target.name} does not serve (${status}), so the link will not work yet: "server start" starts it.`;
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}
