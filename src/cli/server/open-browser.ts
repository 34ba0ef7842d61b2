import { spawn } from 'node:child_process';

/** How long a command that opens a browser may take to say that it cannot, in milliseconds. */
const patienceMs = 3_000;

/**
 * Opens a page in the browser of this machine's user, if there is one. It never throws.
 *
 * @returns Whether it seems to have been opened.
 */
export function openBrowser(url: string, platform: NodeJS.Platform): Promise<boolean> {
  const [command, args] = commandOf(platform, url);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    const timer = setTimeout(() => {
      child.unref();
      resolve(true);
    }, patienceMs);
    const finish = (opened: boolean) => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => finish(false));
    child.once('exit', (code) => finish(code === 0));
  });
}

function commandOf(platform: NodeJS.Platform, url: string): [string, string[]] {
  switch (platform) {
    case 'darwin':
      return ['open', [url]];
    case 'win32':
      // `start` is a word of the shell, which would read the link's `&`; the empty one is a title.
      return ['cmd', ['/c', 'start', '""', url.replaceAll('&', '^&')]];
    default:
      return ['xdg-open', [url]];
  }
}
