import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutDataUris } from '../../src/admit/binary-stub.ts';
import { bodyUnder } from '../support/redaction.ts';
import { workTime } from '../support/work-time.ts';

const bytes = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index * 7) % 251));
const base64 = bytes.toString('base64');
const lines = base64.replace(/.{76}/g, '$&\n');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const stub = { redacted: 'base64', bytes: bytes.length, sha256 };
const inText = `[base64 of ${bytes.length} bytes, sha256 ${sha256}]`;

const uris: readonly (readonly [what: string, uri: string])[] = [
  ['in one line', `data:image/png;base64,${base64}`],
  ['in lines', `data:image/png;base64,${lines}`],
  ['in lines of another system', `data:image/png;base64,${lines.replaceAll('\n', '\r\n ')}`],
  ['in capitals', `DATA:IMAGE/PNG;BASE64,${base64}`],
  ['with a parameter in quotes', `data:image/png;name="a.png";charset=utf-8;base64,${base64}`],
  ['with the escapes of URLs', `data:image/png;base64,${encodeURIComponent(base64)}`],
  ['in the alphabet of URLs', `data:;base64,${bytes.toString('base64url')}`],
];

for (const [what, uri] of uris) {
  test(`a data URI ${what} is cut out to its end`, () => {
    assert.deepEqual(withoutDataUris(uri), stub);
    assert.equal(withoutDataUris(`see ${uri.trim()} there`), `see ${inText} there`);
    assert.equal(withoutDataUris(`(${uri.trim()}), then`), `(${inText}), then`);
  });

  test(`JSON in a text stays JSON without the data URI ${what}`, () => {
    for (const times of [1, 2]) {
      let text = JSON.stringify({ image: uri.trim(), n: 1 });
      if (times === 2) text = JSON.stringify(text);
      // As PHP writes it.
      for (const written of [text, text.replaceAll('/', '\\/')]) {
        let value: unknown = withoutDataUris(written);
        for (let level = 0; level < times; level += 1) value = JSON.parse(String(value));
        assert.deepEqual(value, { image: inText, n: 1 });
      }
    }
  });
}

test('words behind a data URI stay', () => {
  const text = `data:image/png;base64,${base64}\nWhat is in the picture?`;
  assert.equal(withoutDataUris(text), `${inText}\nWhat is in the picture?`);
  const inLines = `data:image/png;base64,${lines}\nWhat is in the picture?`;
  assert.equal(withoutDataUris(inLines), `${inText}\nWhat is in the picture?`);
  assert.equal(
    withoutDataUris('data:a;base64,AAAA BBBB'),
    `[base64 of 3 bytes, sha256 ${createHash('sha256').update(Buffer.alloc(3)).digest('hex')}] BBBB`,
  );
});

test('a text that is base64 and nothing else is a payload, in messages and answers of any shape', () => {
  const { request, response } = bodyUnder(
    {},
    {
      messages: [
        { content: [{ image_url: { url: base64 } }, { image_url: base64 }], images: [lines] },
        { content: [{ image: { source: { bytes: base64 } } }, { source: { bytes: 'AAAA' } }] },
        { type: 'input_audio_buffer.append', audio: base64 },
      ],
      response: {
        predictions: [{ bytesBase64Encoded: base64 }],
        results: [{ type: 'response.audio.delta', delta: base64 }],
      },
    },
  );
  const short = {
    redacted: 'base64',
    bytes: 3,
    sha256: createHash('sha256').update(Buffer.alloc(3)).digest('hex'),
  };
  assert.deepEqual(request?.['messages'], [
    { content: [{ image_url: { url: stub } }, { image_url: stub }], images: [stub] },
    { content: [{ image: { source: { bytes: stub } } }, { source: { bytes: short } }] },
    { type: 'input_audio_buffer.append', audio: stub },
  ]);
  assert.deepEqual(response, {
    predictions: [{ bytesBase64Encoded: stub }],
    results: [{ type: 'response.audio.delta', delta: stub }],
  });
});

test('ids are none, however long they are', () => {
  const response = { id: `resp_${base64}`, output: [{ call_id: base64, responseId: base64 }] };
  assert.deepEqual(bodyUnder({}, { response }).response, response);
});

test('base64 of any bytes is known by its look, once it is long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1200, maxLength: 4000 }), fc.boolean(), (data, url) => {
      // Bytes that are all alike have no look.
      const mixed = createHash('sha512').update(data).digest();
      const content = Buffer.concat([mixed, mixed, mixed, data]).toString(
        url ? 'base64url' : 'base64',
      );
      const { response } = bodyUnder({}, { response: { content } });
      assert.equal(Object(response?.['content']).redacted, 'base64');
    }),
  );
});

test('long texts that are no payload stay, and so do payloads where they are wanted', () => {
  const texts = [
    'x'.repeat(5000),
    'a word and more of them '.repeat(100),
    createHash('sha512').update('a').digest('hex').repeat(4),
    `${base64} and words`,
    'https://a.test/a/b?c='.padEnd(400, 'Ab1'),
    base64.slice(0, 255),
  ];
  assert.deepEqual(bodyUnder({}, { response: { texts } }).response, { texts });
  const response = { content: base64 };
  assert.deepEqual(bodyUnder({ keepBinary: true }, { response }).response, response);
  const { context } = bodyUnder({}, { metadata: { requester_metadata: { blob: base64 } } });
  assert.equal(Object(context?.['metadata']).requester_metadata.blob, base64);
});

test('what LiteLLM says of a payload that it cut hides none', () => {
  const cut = '[base64_data truncated: 2.8KB]';
  const { request } = bodyUnder(
    {},
    { messages: [{ input_audio: { data: base64 + cut } }, { input_audio: { data: cut } }] },
  );
  const [one, other] = Object(request?.['messages']);
  assert.equal(one.input_audio.data.redacted, 'base64');
  assert.equal(other.input_audio.data, cut);
});

test('vectors are known under both names, at any depth, and as the whole of an answer', () => {
  const vector = Array.from({ length: 100 }, (_, index) => index + 0.5);
  const vectorStub = {
    redacted: 'embedding',
    length: 100,
    sha256: createHash('sha256').update(JSON.stringify(vector)).digest('hex'),
  };
  for (const [response, left] of [
    [{ embeddings: { float: [vector] } }, { embeddings: { float: [vectorStub] } }],
    [{ embeddings: [vector, [1]] }, { embeddings: [vectorStub, [1]] }],
    [
      { data: [{ embedding: { float: vector } }] },
      { data: [{ embedding: { float: vectorStub } }] },
    ],
    [
      [vector, vector],
      [vectorStub, vectorStub],
    ],
    [vector, vectorStub],
    [{ scores: vector }, { scores: vector }],
  ]) {
    assert.deepEqual(bodyUnder({}, { response }).response, left);
  }
});

for (const unit of [
  'data:',
  'data:;',
  'data:a;b;c;d;',
  ';base64,',
  'data:;base64,',
  'data:;base64,A\n',
  `${'A'.repeat(40)}\n`,
  `data:;base64,${'A'.repeat(40)}\n`,
  `data:;base64,${'A'.repeat(40)}\\n`,
]) {
  test(`to cut a long text of ${JSON.stringify(unit)} takes no longer for each byte than a short one`, () => {
    const time = (length: number) => {
      const text = `data:;base64,${unit.repeat(length / unit.length)}`;
      return workTime(() => {
        withoutDataUris(text);
        bodyUnder({}, { response: { text: text.slice('data:;base64,'.length) } });
      });
    };
    time(10_000);
    const short = time(40_000);
    const long = time(640_000);
    // Sixteen times the length: by the square it would be 256 times the time.
    assert.ok(long < 64 * short + 150, `${short} ms, then ${long} ms`);
  });
}
