import { diff } from 'node:util';
import { maskSecrets } from './mask-secrets.ts';

/** Lines around a change that are shown with it. */
const around = 3;

/**
 * What differs between two texts, as people know it from `diff -u`, without line numbers: `-` for a
 * line that goes, `+` for one that comes, and a few lines around them. Keys and passwords that stand in
 * them are not shown: the output of CI is for many to read.
 */
export function showDiff(before: string, after: string): string {
  const lines = maskedDiff(before, after);
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ sign }) => sign !== 0);
  const shown: string[] = [];
  let wasShown = true;
  for (const [index, { sign, line }] of lines.entries()) {
    const isShown = isNear(index);
    if (isShown && !wasShown) shown.push('  ...');
    if (isShown) shown.push(`${sign === 0 ? ' ' : sign > 0 ? '-' : '+'} ${line}`);
    wasShown = isShown;
  }
  return shown.join('\n');
}

/** Every line of both: what a line means, and so whether it is shown, depends on those above it. */
function maskedDiff(before: string, after: string): { sign: number; line: string }[] {
  const [maskedBefore, maskedAfter] = [linesOf(maskSecrets(before)), linesOf(maskSecrets(after))];
  let [old, fresh] = [0, 0];
  // It says 1 for what is in its first text alone, and says that first.
  return diff(linesOf(before), linesOf(after)).map(([sign, line]) => {
    const ofOld = sign >= 0 ? (maskedBefore[old++] ?? '') : line;
    const ofFresh = sign <= 0 ? (maskedAfter[fresh++] ?? '') : line;
    return { sign, line: ofOld === line ? ofFresh : ofOld };
  });
}

function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
