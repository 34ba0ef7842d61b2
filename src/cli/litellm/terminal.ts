import { createInterface } from 'node:readline/promises';

/** The person at the terminal, if there is one. */
export interface Terminal {
  isInteractive: boolean;
  /** Whether the answer is yes; anything but y and yes is no. */
  confirm(question: string): Promise<boolean>;
}

/** The terminal of this process. */
export const ownTerminal: Terminal = {
  isInteractive: process.stdin.isTTY === true,
  confirm: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
    } finally {
      lines.close();
    }
  },
};
