import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { listenLocally } from './listen-locally.ts';

/** The portal of IAM Identity Center, which gives a role's credentials for an access token. Returns its URL. */
export async function startSmallSso(
  t: Pick<TestContext, 'after'>,
  accessToken: string,
  roleCredentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string },
): Promise<string> {
  const server = createServer(({ url = '/', headers }, response) => {
    const { pathname, searchParams: query } = new URL(url, 'http://portal');
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (headers['x-amz-sso_bearer_token'] !== accessToken) return send(401, {});
    const isKnown = query.has('role_name') && query.get('account_id') === '111122223333';
    if (pathname !== '/federation/credentials' || !isKnown) return send(404, {});
    return send(200, {
      roleCredentials: { ...roleCredentials, expiration: Date.now() + 3_600_000 },
    });
  });
  const local = await listenLocally(server);
  t.after(local.close);
  return local.url;
}
