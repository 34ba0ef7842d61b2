import type { MlflowClient } from '../mlflow/client.ts';
import type { Outcome } from '../mlflow/outcome.ts';
import type { FoundExperiment, SearchClient } from '../mlflow/search-client.ts';
import { callsExperiment } from '../record/calls/plan-chunk.ts';
import { usageExperiment } from '../record/usage/plan-usage.ts';

const placeholder = /\{[^}]*\}/;

/**
 * The experiments that calls have their runs in: that of the name, or those whose names a template such
 * as `/litellm/{team_alias}` may have made. What stands beside them (usage, the calls table) is left out.
 */
export async function callExperiments(
  template: string,
  mlflow: Pick<MlflowClient, 'findExperiment'>,
  search: Pick<SearchClient, 'experiments'>,
): Promise<Outcome<FoundExperiment[]>> {
  if (!placeholder.test(template)) return named(template, mlflow);
  const form = formOf(template);
  const beside = new Set([callsExperiment(template), usageExperiment(template)]);
  const all: FoundExperiment[] = [];
  let token: string | undefined;
  do {
    const page = await search.experiments(template.split(placeholder)[0] ?? '', token);
    if (page.kind !== 'done') return page;
    all.push(...page.value.items.filter(({ name }) => form.test(name) && !beside.has(name)));
    token = page.value.next;
  } while (token !== undefined);
  return { kind: 'done', value: all };
}

/** The experiment of that name, if there is one that is not deleted. */
export async function named(
  name: string,
  mlflow: Pick<MlflowClient, 'findExperiment'>,
): Promise<Outcome<FoundExperiment[]>> {
  const found = await mlflow.findExperiment(name);
  if (found.kind === 'reject' && found.reason === 'missing') return { kind: 'done', value: [] };
  if (found.kind !== 'done') return found;
  const { id, deleted } = found.value;
  return { kind: 'done', value: deleted ? [] : [{ id, name }] };
}

/** What a template makes of names; MLflow's databases cut the longest ones. */
function formOf(template: string): RegExp {
  const literals = template.split(new RegExp(placeholder, 'g'));
  return new RegExp(`^${literals.map(literally).join('.*')}$`, 's');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
