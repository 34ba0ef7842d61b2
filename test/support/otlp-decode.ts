/** A span as a request in protobuf says it; it shares nothing with the encoder. */
export interface DecodedSpan {
  traceId: string;
  spanId: string;
  name: string;
  startNs: bigint;
  endNs: bigint;
  /** 1: ok, 2: error. */
  statusCode: number;
  attributes: Record<string, string>;
  events: { name: string; timeNs: bigint; attributes: Record<string, string> }[];
}

interface Field {
  number: number;
  value: bigint | Buffer;
}

/** The spans of an `ExportTraceServiceRequest`. Throws where the bytes are no such message. */
export function decodeSpans(bytes: Uint8Array): DecodedSpan[] {
  const resources = messages(Buffer.from(bytes), 1);
  const scopes = resources.flatMap((resource) => messages(resource, 2));
  return scopes.flatMap((scope) => messages(scope, 2)).map(spanOf);
}

function spanOf(span: Buffer): DecodedSpan {
  const fields = fieldsOf(span);
  const bytesOf = (number: number) => only(fields, number) as Buffer;
  const status = fieldsOf(bytesOf(15));
  return {
    traceId: bytesOf(1).toString('hex'),
    spanId: bytesOf(2).toString('hex'),
    name: text(bytesOf(5)),
    startNs: only(fields, 7) as bigint,
    endNs: only(fields, 8) as bigint,
    statusCode: Number(only(status, 3)),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => ({
      name: text(only(fieldsOf(event), 2) as Buffer),
      timeNs: only(fieldsOf(event), 1) as bigint,
      attributes: attributesOf(event, 3),
    })),
  };
}

function attributesOf(message: Buffer, number: number): Record<string, string> {
  const entries = messages(message, number).map((pair): [string, string] => {
    const fields = fieldsOf(pair);
    const value = fieldsOf(only(fields, 2) as Buffer);
    return [text(only(fields, 1) as Buffer), text(only(value, 1) as Buffer)];
  });
  if (new Set(entries.map(([name]) => name)).size < entries.length) throw new Error('a name twice');
  return Object.fromEntries(entries);
}

function text(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function messages(message: Buffer, number: number): Buffer[] {
  return fieldsOf(message)
    .filter((field) => field.number === number)
    .map(({ value }) => value as Buffer);
}

function only(fields: Field[], number: number): bigint | Buffer {
  const found = fields.find((field) => field.number === number);
  if (found === undefined) throw new Error(`field ${number} is missing`);
  return found.value;
}

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) throw new Error('it ends within a number');
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new Error('it ends within a field');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const kind = tag & 7;
    if (kind === 0) fields.push({ number, value: varint() });
    else if (kind === 1) fields.push({ number, value: take(8).readBigUInt64LE() });
    else if (kind === 2) fields.push({ number, value: take(Number(varint())) });
    else if (kind === 5) fields.push({ number, value: BigInt(take(4).readUInt32LE()) });
    else throw new Error(`no such kind of field: ${kind}`);
  }
  return fields;
}
