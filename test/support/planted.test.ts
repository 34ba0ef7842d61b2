import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { planted, textsIn } from './planted.ts';

const secret = `${planted}-of-this-test`;
const escaped = [...secret].map((unit) => `\\u00${unit.charCodeAt(0).toString(16)}`).join('');
const percent = [...secret].map((unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`);

const forms: readonly (readonly [string, Buffer | string])[] = [
  ['as it stands', secret],
  ['as UTF-16', Buffer.from(secret, 'utf16le')],
  ['as UTF-16, the other way round', Buffer.from(secret, 'utf16le').swap16()],
  ['as hex', Buffer.from(secret).toString('hex')],
  ['as hex in capitals', Buffer.from(secret).toString('hex').toUpperCase()],
  ['in JSON’s escapes', `{"a":"${escaped}"}`],
  ['in a URL’s escapes', percent.join('')],
  ['as base64', Buffer.from(`${secret}!`).toString('base64')],
  ['as base64 behind one letter', Buffer.from(`a${secret} and more`).toString('base64')],
  ['as base64 behind two letters', Buffer.from(`ab${secret} and more`).toString('base64')],
  ['as a URL’s base64', Buffer.from(`??>${secret}`).toString('base64url')],
  ['as base64 of UTF-16', Buffer.from(secret, 'utf16le').toString('base64')],
  ['behind gzip', gzipSync(`what ${secret} says`)],
  ['behind gzip that breaks off', gzipSync(`${secret}${'x'.repeat(99)}`).subarray(0, -9)],
  ['behind deflate', deflateSync(`what ${secret} says`)],
];

for (const [how, form] of forms) {
  test(`a planted text is found ${how}`, () => {
    const around = ['before ', form, ' behind'].map((part) => Buffer.from(part));
    assert.deepEqual(textsIn(Buffer.concat(around), [secret, `${planted}-other`]), [secret]);
  });
}

test('where nothing was planted nothing is found', () => {
  const nearly = [secret.slice(0, -1), secret.toUpperCase(), 'x\x1f\x8b\x08 \x78\x9c'].join(' ');
  assert.deepEqual(textsIn(Buffer.from(nearly), [secret]), []);
});
