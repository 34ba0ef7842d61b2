import { isIPv4, isIPv6 } from 'node:net';

const maybeV6 =
  /(?<![A-Za-z0-9:])(?:[0-9a-f]{0,4}:){2,8}[0-9a-f]{0,4}(?:\.\d{1,3}){0,3}(?![A-Za-z0-9:])/gi;
const maybeV4 = /(?<![A-Za-z0-9.])\d{1,3}(?:\.\d{1,3}){3}(?![A-Za-z0-9]|\.\d)/g;

/**
 * `text` with its IP addresses replaced. Whatever has an address's form is one, a version with four
 * numbers too; words with `::` between them are none, unless they hold a digit.
 */
export function replaceAddresses(text: string, replacement: string): string {
  const without6 = text.includes(':')
    ? text.replace(maybeV6, (found) => {
        const address = found.replace(/(?<!:):$/, '');
        const isAddress = /\d/.test(address) && isIPv6(address);
        return isAddress ? replacement + found.slice(address.length) : found;
      })
    : text;
  return without6.includes('.')
    ? without6.replace(maybeV4, (found) => (isIPv4(found) ? replacement : found))
    : without6;
}
