import { lookup } from 'node:dns/promises';
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { request } from 'undici';
import { codeOf } from '../../mlflow/http-transport.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** Milliseconds until a name is resolved, a connection stands, or an answer has come. */
const patience = 10_000;
const day = 86_400_000;
/** A certificate that ends within so many days is worth a word. */
const fewDays = 14;

/** Whether the server's name is known, and a connection comes about. */
export async function checkNetwork(url: URL, now: number): Promise<Check[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isTls = url.protocol === 'https:';
  const port = Number(url.port || (isTls ? 443 : 80));
  const addresses = await lookup(host, { all: true }).catch((error: unknown) => codeOf(error));
  if (typeof addresses === 'string') {
    return [
      failure(
        'dns',
        `${host} is not known (${addresses})`,
        'Look at the name in destination.trackingUri or aws.mlflowEndpoint, and at the name server of this machine or container.',
      ),
    ];
  }
  const found = ok('dns', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  const name = isTls ? 'tls' : 'connection';
  const socket = await connection(host, port, isTls).catch((error: unknown) => codeOf(error));
  if (typeof socket === 'string') {
    return [found, failure(name, `${host}:${port} (${socket})`, connectAdvice(socket))];
  }
  const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
  const protocol = socket instanceof TLSSocket ? socket.getProtocol() : 'TCP, not encrypted';
  socket.destroy();
  const days =
    certificate === undefined ? undefined : (Date.parse(certificate.valid_to) - now) / day;
  const detail = `${host}:${port} answers, ${protocol}${days === undefined ? '' : `, certificate good for ${Math.floor(days)} days`}`;
  if (days !== undefined && days < fewDays) {
    return [found, warning(name, detail, 'See that the certificate is renewed.')];
  }
  return [found, ok(name, detail)];
}

function connection(host: string, port: number, isTls: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    const socket = isTls
      ? connectTls({ host, port, ...servername }, () => resolve(socket))
      : connectPlainly({ host, port }, () => resolve(socket));
    socket.once('error', reject);
    socket.setTimeout(patience, () => {
      socket.destroy();
      reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    });
  });
}

function connectAdvice(code: string): string {
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    return 'Its certificate is not trusted here: name the authority that signed it by NODE_EXTRA_CA_CERTS, and use the host name that it is for.';
  }
  if (/^E?PROTO|SSL|TLS/.test(code))
    return 'It speaks no TLS there: write http:// instead, or its TLS port.';
  if (code === 'ECONNREFUSED') return 'Nothing listens there: start MLflow, or correct the port.';
  return 'A firewall, a security group or a missing route is in the way; in a VPC without a way out, an endpoint (docs/sagemaker.md).';
}

/** A difference that is none, and one that AWS refuses, in milliseconds. */
const leastSkew = 60_000;
const mostSkew = 5 * 60_000;

/**
 * Compares this machine's clock with the one of the server, by the `Date` of an answer, whatever it is.
 *
 * @param now Unix milliseconds.
 */
export async function checkClock(url: URL, now: () => number): Promise<Check> {
  const before = now();
  const date = await request(url, { headersTimeout: patience, bodyTimeout: patience }).then(
    async ({ headers, body }) => {
      await body.dump();
      // `/` of MLflow 3.17.2 answers with two of them.
      return Date.parse([headers['date']].flat()[0] ?? '');
    },
    () => Number.NaN,
  );
  if (Number.isNaN(date)) {
    return warning('clock', 'the server tells no time to compare with', 'See that NTP runs.');
  }
  const skew = date - (before + now()) / 2;
  const seconds = Math.round(Math.abs(skew) / 1_000);
  const detail = `this machine is ${seconds} s ${skew > 0 ? 'behind' : 'ahead of'} the server`;
  if (Math.abs(skew) < leastSkew) return ok('clock', detail);
  const advice =
    'Set the clock (NTP): the times of runs come from where LiteLLM runs, and AWS refuses what is more than five minutes off, until the sidecar has learnt by how much.';
  return Math.abs(skew) < mostSkew
    ? warning('clock', detail, advice)
    : failure('clock', detail, advice);
}
