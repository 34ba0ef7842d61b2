import { request } from 'undici';
import type { PutResult } from '../aws/s3.ts';
import { type Body, forOneTry, lengthHeader } from './body.ts';
import type { PresignedUpload } from './client.ts';
import { codeOf } from './http-transport.ts';

const timeoutMs = 60_000;

/** Puts a body to a presigned URL, which is a secret: nothing of it is in what comes back. */
export async function uploadTo({ url, headers }: PresignedUpload, body: Body): Promise<PutResult> {
  try {
    const response = await request(url, {
      method: 'PUT',
      headers: { ...headers, ...lengthHeader(body) },
      body: forOneTry(body),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const text = await response.body.text();
    const status = response.statusCode;
    if (status >= 200 && status < 300) return { kind: 'stored' };
    return {
      kind: 'refused',
      status,
      name: /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? 'unknown',
    };
  } catch (error) {
    return { kind: 'failed', name: codeOf(error) };
  }
}
