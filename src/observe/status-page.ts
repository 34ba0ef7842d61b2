/** How often a page that is looked at asks again, in seconds. */
const refreshSeconds = 10;

const style = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1f24 }
  h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem }
  table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-top: 1px solid #d8dee4; vertical-align: top }
  th { font-weight: 400; color: #57606a; width: 16rem } .bad { color: #b42318; font-weight: 600 } .good { color: #1a7f37; font-weight: 600 }
  @media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 } th { color: #8d96a0 } th, td { border-color: #30363d } .bad { color: #ff7b72 } .good { color: #3fb950 } }
`;

/**
 * What `/healthz` says, as a page for people. It has no scripts, and everything in it is escaped.
 *
 * @param report The body of `/healthz`.
 */
export function statusPage(report: object): string {
  const { status, version, destinations = {}, ...sections } = fieldsOf(report);
  const [simple, nested] = split(sections);
  const parts = [
    section('', { version, ...simple }),
    ...Object.entries(fieldsOf(destinations)).map(([name, state]) =>
      section(`To ${name}`, fieldsOf(state)),
    ),
    ...nested.flatMap(([name, fields]) => sectionsOf(words(name), fields)),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${refreshSeconds}"><title>litellm-mlflow-sidecar</title>
<style>${style}</style></head><body>
<h1>litellm-mlflow-sidecar: ${shown('status', status)}</h1>
${parts.join('\n')}
<p>As <a href="healthz">JSON</a>, and as <a href="metrics">metrics</a> for Prometheus.</p>
</body></html>
`;
}

type Named = Record<string, unknown>;

function fieldsOf(value: unknown): Named {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Values that are shown in a line, and those that have a section of their own. */
function split(fields: Named): [Named, [string, Named][]] {
  const isNested = (value: unknown) => typeof value === 'object' && value !== null;
  const entries = Object.entries(fields);
  return [
    Object.fromEntries(entries.filter(([, value]) => !isNested(value))),
    entries
      .filter(([, value]) => isNested(value))
      .map(([name, value]): [string, Named] => [name, fieldsOf(value)]),
  ];
}

function sectionsOf(title: string, fields: Named): string[] {
  const [simple, nested] = split(fields);
  return [
    section(title, simple),
    ...nested.flatMap(([name, inner]) => sectionsOf(`${title}: ${words(name)}`, inner)),
  ];
}

function section(title: string, fields: Named): string {
  const rows = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<tr><th>${words(name)}</th><td>${shown(name, value)}</td></tr>`);
  if (rows.length === 0) return '';
  return `${title === '' ? '' : `<h2>${title}</h2>`}<table>${rows.join('')}</table>`;
}

/** Of states only these are as they should be. */
const good: ReadonlySet<unknown> = new Set(['ok', 'open', true]);

function shown(name: string, value: unknown): string {
  const text = typeof value === 'number' ? value.toLocaleString('en') : escaped(String(value));
  if (!['status', 'state', 'adds_up'].includes(name)) return text;
  return `<span class="${good.has(value) ? 'good' : 'bad'}">${text}</span>`;
}

function words(name: string): string {
  return escaped(name.replaceAll('_', ' '));
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
