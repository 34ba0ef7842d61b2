import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { listenLocally } from './listen-locally.ts';

const token = 'a-metadata-token';
const credentialsPath = '/latest/meta-data/iam/security-credentials/';

/** The instance metadata service, version 2 alone: nothing without a session token. Returns its URL. */
export async function startSmallImds(
  t: Pick<TestContext, 'after'>,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string },
): Promise<string> {
  const server = createServer(({ method, url, headers }, response) => {
    const send = (status: number, body: string) => response.writeHead(status).end(body);
    if (method === 'PUT' && url === '/latest/api/token') {
      return send(headers['x-aws-ec2-metadata-token-ttl-seconds'] === undefined ? 400 : 200, token);
    }
    if (headers['x-aws-ec2-metadata-token'] !== token) return send(401, '');
    if (url === credentialsPath) return send(200, 'instance-role');
    if (url !== `${credentialsPath}instance-role`) return send(404, '');
    return send(
      200,
      JSON.stringify({
        Code: 'Success',
        Type: 'AWS-HMAC',
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        Token: credentials.sessionToken,
        Expiration: new Date(Date.now() + 6 * 3_600_000).toISOString().replace(/\.\d+/, ''),
      }),
    );
  });
  const local = await listenLocally(server);
  t.after(local.close);
  return local.url;
}
