import { litellmEvent } from '../../support/litellm-event.ts';
import { planted } from '../../support/planted.ts';

/** A text that is found nowhere else, by what it is; twice, where a page of a file may part it. */
export const mark = (what: string) => `${planted}-${what}-`;
const twice = (text: string) => `${text} and once more ${text}`;

/** What the sidecar itself has to keep to itself. */
export const own = {
  token: mark('token-of-the-sidecar'),
  password: mark('password-of-mlflow'),
  hashKey: mark('key-of-the-hashes'),
};

/** Secrets that LiteLLM lets through; under all settings they are taken out. */
export const echoed = {
  authorization: mark('authorization'),
  cookie: mark('cookie'),
  sessionToken: mark('session-token'),
  apiKey: mark('api-key'),
  inAddress: mark('password-in-address'),
  inQuery: mark('key-in-query'),
  inError: mark('key-in-error'),
  signature: mark('signature-in-error'),
  inTraceback: mark('bearer-in-traceback'),
  beside: mark('beside-request-and-response'),
  inPair: mark('cookie-in-a-pair'),
  inHeaders: mark('key-of-a-client'),
  inToken: mark('claims-of-a-token'),
  inJson: mark('key-in-json-in-a-text'),
  inLine: mark('header-in-a-line'),
};

/** What people and models say, in calls of one group. */
export const saidIn = (group: string) => ({
  prompt: mark(`prompt-in-${group}`),
  answer: mark(`answer-in-${group}`),
  /** By a provider, in an error. */
  quoted: mark(`quoted-in-${group}`),
  traced: mark(`traced-in-${group}`),
  parameter: mark(`parameter-in-${group}`),
  metadata: mark(`metadata-in-${group}`),
});

/** Around prompts and answers, LiteLLM's echoes of every kind of secret. */
const aroundIn = (group: string) => ({
  api_base: `http://user:${echoed.inAddress}@127.0.0.1:9/v1?key=${echoed.inQuery}`,
  hidden_params: {
    additional_headers: {
      'x-litellm-attempted-retries': 0,
      authorization: `Bearer ${echoed.authorization}`,
      'llm_provider-set-cookie': twice(echoed.cookie),
      'x-amz-security-token': echoed.sessionToken,
    },
  },
  metadata: {
    user_api_key_user_id: 'user-42',
    usage_object: { prompt_tokens: 21, completion_tokens: 7, total_tokens: 28 },
    requester_metadata: { db: { password: echoed.apiKey }, note: saidIn(group).metadata },
    headers: { cookie: [echoed.cookie], 'x-api-key': echoed.apiKey },
    raw_headers: [['cookie', echoed.inPair]],
    proxied: {
      headers: {
        'x-litellm-key': `sk-${echoed.inHeaders}`,
        referer: `https://ada:${echoed.inHeaders}@host/?token=${echoed.inHeaders}`,
        'x-amzn-oidc-data': `eyJhbGciOiJIUzI1NiJ9.${echoed.inToken}.c2ln`,
      },
    },
    headers_as_json: JSON.stringify({ authorization: twice(echoed.inJson) }),
  },
  'x-amz-security-token': echoed.beside,
  cookie: echoed.beside,
});

/** As a client's library quotes what it sent and got: in JSON of JSON, a `repr`, lines of headers. */
const quotedExchange = [
  JSON.stringify(JSON.stringify({ api_key: twice(echoed.inJson), text: `a\nsk-${echoed.inJson}` })),
  `b'{"password": "${echoed.inJson}"}\\nsk-${echoed.inJson}'`,
  `{'cookie': 'sid=${echoed.inLine}', 'host': 'h'}`,
  `[(b'authorization', b'Token ${echoed.inPair}')]`,
  `> Authorization: Token ${echoed.inLine}`,
  `> Set-Cookie: sid=${echoed.inLine}; Path=/`,
  '',
].join('\n');

const errorText = [
  `Incorrect API key provided: sk-${echoed.inError}.`,
  `GET https://bucket.s3.amazonaws.com/a?X-Amz-Credential=${echoed.signature}&X-Amz-Signature=${echoed.signature}`,
  `password=${echoed.inError}`,
  quotedExchange,
].join(' ');

const failureIn = (group: string) => ({
  status: 'failure',
  error_str: `${errorText} ${saidIn(group).quoted}`,
  error_information: {
    error_class: 'AuthenticationError',
    error_code: '401',
    error_message: `${errorText} ${saidIn(group).quoted}`,
    traceback: `headers = {'Authorization': 'Bearer ${echoed.inTraceback}'} ${saidIn(group).traced}`,
  },
});

/** A call of `group` that was answered. */
export function plantedCall(number: number, group: string, changes: object = {}) {
  const said = saidIn(group);
  return litellmEvent(number, {
    ...aroundIn(group),
    model_group: group,
    model_parameters: parametersIn(group, number),
    messages: [{ role: 'user', content: twice(said.prompt) }],
    response: { choices: [{ message: { role: 'assistant', content: twice(said.answer) } }] },
    ...changes,
  });
}

export const plantedFailure = (number: number, group: string) =>
  plantedCall(number, group, failureIn(group));

/** @param seed By which a test knows the request again. */
export const parametersIn = (group: string, seed: number) => ({
  seed,
  stop: twice(saidIn(group).parameter),
  api_key: echoed.apiKey,
  extra_headers: { authorization: `Bearer ${echoed.authorization}` },
});

/** No call, and no JSON: its secrets stand in members that say what they are, and behind a break. */
export const brokenElement = `{"id":"x","messages":[{"content":"${mark('prompt-in-what-is-broken')}"}],"api_key":"${echoed.apiKey}","cookies":["${echoed.inPair}","${echoed.inPair}"],"body":${JSON.stringify(JSON.stringify({ password: echoed.inJson }))},"headers":{"authorization":"Bearer ${echoed.authorization}","cookie":"${echoed.cookie}`;
