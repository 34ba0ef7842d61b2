import { constants, inflateRawSync } from 'node:zlib';

/**
 * What every prompt, answer and secret of the tests has in it: a word that is found nowhere else, so
 * that whatever holds it has let something out.
 */
export const planted = 'PLANTEDx7q';

/** What every credential among them has in it besides: whatever the settings, no file may hold it. */
export const plantedSecret = `${planted}-secret`;

/** The texts of `among` that `bytes` hold, as they stand or in any form in which they may be written. */
export function textsIn(bytes: Buffer, among: readonly string[]): string[] {
  const layers = [bytes, ...unpacked(bytes)];
  return among.filter((text) =>
    formsOf(text).some((form) => layers.some((layer) => layer.includes(form))),
  );
}

/** UTF-8 and UTF-16, JSON's and URLs' escapes, hex, and base64 at each of its three offsets. */
function formsOf(text: string): Buffer[] {
  const utf8 = Buffer.from(text);
  const utf16 = Buffer.from(text, 'utf16le');
  const units = [...text].map((unit) => unit.charCodeAt(0).toString(16));
  const written = [
    units.map((unit) => `\\u${unit.padStart(4, '0')}`).join(''),
    units.map((unit) => `%${unit.toUpperCase()}`).join(''),
    utf8.toString('hex'),
    utf8.toString('hex').toUpperCase(),
    ...[utf8, utf16].flatMap(base64Of),
  ];
  return [utf8, utf16, Buffer.from(utf16).swap16(), ...written.map((form) => Buffer.from(form))];
}

/** What stays the same of its base64, whatever stands before and behind it; both alphabets. */
function base64Of(bytes: Buffer): string[] {
  const cores = [0, 1, 2].map((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    return all.slice(Math.ceil((offset * 8) / 6), end);
  });
  return cores.flatMap((core) => [core, core.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** How many bytes stand before a deflated block, by how its container begins. */
const containers = [
  // Of gzip without a file name, as programs send it.
  { magic: Buffer.from([0x1f, 0x8b, 0x08, 0x00]), header: 10 },
  { magic: Buffer.from([0x78, 0x01]), header: 2 },
  { magic: Buffer.from([0x78, 0x9c]), header: 2 },
  { magic: Buffer.from([0x78, 0xda]), header: 2 },
];

/** What is packed in `bytes`, wherever it begins, as far as it can be unpacked. */
function unpacked(bytes: Buffer): Buffer[] {
  return containers.flatMap(({ magic, header }) => {
    const found: Buffer[] = [];
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      try {
        // Its end may be missing; what stands behind it is no matter.
        const options = { finishFlush: constants.Z_SYNC_FLUSH };
        found.push(inflateRawSync(bytes.subarray(at + header), options));
      } catch {
        // Bytes that say "packed" stand in any file now and then.
      }
    }
    return found;
  });
}
