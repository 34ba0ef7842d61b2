import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Colours only where the output is a terminal that wants them. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A line that is rewritten in place on a terminal; elsewhere only its last state is printed. */
export function progressLine(): { show(text: string): void; end(): void } {
  let last = '';
  return {
    show: (text) => {
      last = text;
      if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K  ${text}`);
    },
    end: () => {
      process.stdout.write(process.stdout.isTTY ? '\n' : `  ${last}\n`);
    },
  };
}

/** `[#####     ]` */
export function bar(done: number, all: number): string {
  const width = 24;
  const filled = Math.min(width, Math.round((width * done) / all));
  return `[${'#'.repeat(filled)}${' '.repeat(width - filled)}]`;
}
