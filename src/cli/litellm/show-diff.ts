import { diff } from 'node:util';

/** Lines around a change that are shown with it. */
const around = 3;

/**
 * What differs between two texts, as people know it from `diff -u`, without line numbers: `-` for a
 * line that goes, `+` for one that comes, and a few lines around them. Keys and passwords that stand in
 * them are not shown: the output of CI is for many to read.
 */
export function showDiff(before: string, after: string): string {
  // It says 1 for what is in its first text alone, and says that first.
  const lines = diff(linesOf(before), linesOf(after)).map(([sign, line]) => ({ sign, line }));
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ sign }) => sign !== 0);
  const shown: string[] = [];
  let wasShown = true;
  for (const [index, { sign, line }] of lines.entries()) {
    const isShown = isNear(index);
    if (isShown && !wasShown) shown.push('  ...');
    if (isShown) shown.push(`${sign === 0 ? ' ' : sign > 0 ? '-' : '+'} ${masked(line)}`);
    wasShown = isShown;
  }
  return shown.join('\n');
}

const secret =
  /((?:key|token|secret|password|authorization)\w*["']?\s*:\s*)(?!["']?os\.environ\/)["']?[^\s"',{}[\]#][^"',{}[\]#]*/gi;

function masked(line: string): string {
  return line.replace(secret, '$1***');
}

function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
