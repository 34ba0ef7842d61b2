/** What one look found. */
export interface Check {
  /** What was looked at: `clock`, `mlflow: CreateRun`. */
  name: string;
  result: 'ok' | 'warning' | 'failure';
  /** What was found, and how. */
  detail: string;
  /** What to do, where not all is well. */
  advice?: string;
}

export function ok(name: string, detail: string): Check {
  return { name, result: 'ok', detail };
}

export function warning(name: string, detail: string, advice: string): Check {
  return { name, result: 'warning', detail, advice };
}

export function failure(name: string, detail: string, advice: string): Check {
  return { name, result: 'failure', detail, advice };
}
