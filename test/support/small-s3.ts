import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { listenLocally } from './listen-locally.ts';

/** A request as S3 got it. */
export interface S3Request {
  /** `PUT /bucket/key?partNumber=1` */
  what: string;
  headers: IncomingHttpHeaders;
}

export interface SmallS3 {
  url: string;
  /** Contents by `/bucket/key`. */
  objects: Map<string, Buffer>;
  /** Uploads in parts that were begun and neither ended nor given up. */
  uploads: Set<string>;
  requests: S3Request[];
  /** Asked before each request: an error to answer with, or no answer at all. */
  fault: (request: S3Request) => { status: number; code: string } | 'silence' | undefined;
}

/**
 * As much of S3 as uploads need, for what the larger double (moto) does not do: it compares checksums,
 * and fails as a test wants. It looks at no signature.
 *
 * @param onStored Told of each object that is whole.
 */
export async function startSmallS3(
  t: Pick<TestContext, 'after'>,
  onStored: (path: string, content: Buffer) => void = () => undefined,
): Promise<SmallS3> {
  const s3: SmallS3 = {
    url: '',
    objects: new Map(),
    uploads: new Set(),
    requests: [],
    fault: () => undefined,
  };
  const parts = new Map<string, Map<number, Buffer>>();
  const store = (path: string, content: Buffer) => {
    s3.objects.set(path, content);
    onStored(path, content);
  };

  const act = (what: string, url: URL, body: Buffer): string => {
    const { pathname: path, searchParams: query } = url;
    const id = query.get('uploadId') ?? '';
    const method = what.split(' ')[0];
    if (method === 'POST' && query.has('uploads')) {
      const begun = `upload-${parts.size + 1}`;
      s3.uploads.add(begun);
      parts.set(begun, new Map());
      return xml('InitiateMultipartUploadResult', { UploadId: begun });
    }
    if (method === 'POST') {
      const sorted = [...(parts.get(id) ?? [])].sort(([one], [other]) => one - other);
      store(path, Buffer.concat(sorted.map(([, part]) => part)));
      s3.uploads.delete(id);
      return xml('CompleteMultipartUploadResult', { ETag: 'whole' });
    }
    if (method === 'DELETE') s3.uploads.delete(id);
    else if (id === '') store(path, body);
    else parts.get(id)?.set(Number(query.get('partNumber')), body);
    return '';
  };

  const server = createServer(async (incoming, response) => {
    const request = { what: `${incoming.method} ${incoming.url}`, headers: incoming.headers };
    s3.requests.push(request);
    const body = await buffer(incoming);
    const fault = s3.fault(request) ?? wrongChecksum(incoming.headers, body);
    if (fault === 'silence') return;
    if (fault !== undefined) {
      response.writeHead(fault.status).end(xml('Error', { Code: fault.code }));
      return;
    }
    const answer = act(request.what, new URL(incoming.url ?? '/', 'http://small'), body);
    response.writeHead(200, { etag: '"etag"' }).end(answer);
  });
  const local = await listenLocally(server);
  t.after(local.close);
  s3.url = local.url;
  return s3;
}

function wrongChecksum(headers: IncomingHttpHeaders, body: Buffer) {
  const given = headers['x-amz-checksum-crc32'];
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return given === undefined || given === sum.toString('base64')
    ? undefined
    : { status: 400, code: 'BadDigest' };
}

function xml(name: string, members: Readonly<Record<string, string>>): string {
  const inner = Object.entries(members).map(([tag, text]) => `<${tag}>${text}</${tag}>`);
  return `<?xml version="1.0"?><${name}>${inner.join('')}</${name}>`;
}
