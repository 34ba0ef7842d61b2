import { isIPv4, isIPv6 } from 'node:net';
import type { Span } from './text-view.ts';

const maybeV6 =
  /(?<![A-Za-z0-9:])(?:[0-9a-f]{0,4}:){2,8}[0-9a-f]{0,4}(?:\.\d{1,3}){0,3}(?![A-Za-z0-9:])/gi;
const maybeV4 = /(?<![A-Za-z0-9.])\d{1,3}(?:\.\d{1,3}){3}(?![A-Za-z0-9]|\.\d)/g;

/**
 * The IPv6 addresses in `text`. Words with `::` between them are none, unless they hold a digit.
 */
export function findIPv6(text: string, instead: string): Span[] {
  if (!text.includes(':')) return [];
  return Array.from(text.matchAll(maybeV6), ({ 0: found, index }) => {
    const address = found.replace(/(?<!:):$/, '');
    return { address, start: index, end: index + address.length, instead };
  }).filter(({ address }) => /\d/.test(address) && isIPv6(address));
}

/** The IPv4 addresses in `text`: whatever has the form of one, a version of four numbers too. */
export function findIPv4(text: string, instead: string): Span[] {
  if (!text.includes('.')) return [];
  return Array.from(text.matchAll(maybeV4), ({ 0: address, index }) => {
    return { address, start: index, end: index + address.length, instead };
  }).filter(({ address }) => isIPv4(address));
}
