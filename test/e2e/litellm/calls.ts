import { planted, plantedSecret } from '../../support/planted.ts';
import type { CallPlan } from './made-call.ts';

/** The tool that calls offer. */
export const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

export const unicodePrompt = `Grüße, 世界! 👩‍👩‍👧 \u202e \u2028 "quoted" \\ <b>&amp;</b> ${planted} end`;

/** What a client sends along and no record may hold. */
export const clientSecrets = {
  cookie: `session=${plantedSecret}-cookie-of-a-client`,
  awsToken: `${plantedSecret}-security-token-of-a-client`,
  apiKey: `${plantedSecret}-api-key-in-metadata`,
  password: `${plantedSecret}-password-in-metadata`,
};

const chat = (key: string, model: string, prompt: string, more: object = {}): CallPlan => ({
  key,
  path: '/v1/chat/completions',
  prompt,
  body: { model, messages: [{ role: 'user', content: prompt }], ...more },
});

const message = (key: string, prompt: string, more: object = {}): CallPlan => ({
  key,
  path: '/v1/messages',
  prompt,
  body: {
    model: 'claude',
    max_tokens: 100,
    messages: [{ role: 'user', content: prompt }],
    ...more,
  },
});

const withHeaders = (plan: CallPlan, headers: Record<string, string>): CallPlan => ({
  ...plan,
  headers,
});

const cached = { temperature: 0.7, seed: 11 };

/** One of each kind, none of which has an effect on another. */
export const calls = {
  chat: chat('sk-ada', 'gpt-4o-mini', `Name two rivers. ${planted} fake:delay=80`, {
    temperature: 0.2,
    max_tokens: 50,
  }),
  tools: chat('sk-bob', 'gpt-4o', 'How is the weather in Paris?', {
    tools: [weatherTool],
    tool_choice: 'auto',
  }),
  stream: chat('sk-cho', 'gpt-4o', `Write a verse. ${planted} fake:delay=300`, { stream: true }),
  embeddings: {
    key: 'sk-dee',
    path: '/v1/embeddings',
    prompt: 'a paragraph and its neighbour',
    body: { model: 'text-embedding-3-small', input: ['a paragraph', 'and its neighbour'] },
  },
  message: message('sk-ada', `Review a file. ${planted} fake:cached=400 fake:cache-written=100`),
  messageStream: message('sk-bob', 'Explain a commit. fake:delay=400', { stream: true }),
  response: {
    key: 'sk-cho',
    path: '/v1/responses',
    prompt: `Respond to this. ${planted}`,
    body: { model: 'gpt-4o', input: `Respond to this. ${planted}`, temperature: 0.3 },
  },
  promptCached: chat('sk-dee', 'gpt-4o', 'Summarise a chapter. fake:cached=256'),
  promptCachedStream: chat('sk-dee', 'gpt-4o', 'Read a chapter aloud. fake:cached=128', {
    stream: true,
  }),
  reasoning: chat('sk-ada', 'o3-mini', 'Prove a theorem.'),
  unpriced: chat('sk-bob', 'in-house', 'Translate a line.'),
  missed: chat('sk-cho', 'gpt-4o-mini', 'What is asked twice?', cached),
  missedStream: chat('sk-cho', 'gpt-4o-mini', 'What is asked twice, in a stream?', {
    ...cached,
    stream: true,
  }),
  bodyTags: chat('sk-ada', 'gpt-4o-mini', 'Tagged in its body.', {
    metadata: { tags: ['prod', 'team:checkout', 'a,b'], ticket: 'T-17' },
  }),
  headerTags: withHeaders(chat('sk-ada', 'gpt-4o-mini', 'Tagged by its header.'), {
    'x-litellm-tags': 'nightly,größe!',
  }),
  endUser: chat('sk-bob', 'gpt-4o-mini', 'Asked by a customer.', { user: 'customer-1' }),
  session: chat('sk-cho', 'gpt-4o-mini', 'Said in a session.', {
    metadata: { session_id: 'session-7' },
  }),
  ownId: withHeaders(chat('sk-dee', 'gpt-4o-mini', 'Called by a name of my own.'), {
    'x-litellm-call-id': 'a call id of my own',
  }),
  unicode: chat('sk-ada', 'gpt-4o-mini', unicodePrompt),
  strangeNumbers: {
    ...chat('sk-bob', 'gpt-4o-mini', 'Numbers beyond JSON.'),
    body: `{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Numbers beyond JSON."}],
      "seed": 9007199254740993,
      "metadata": {"nan": NaN, "endless": -Infinity, "big": 123456789012345678901234567890, "one": 1}}`,
  },
  secrets: withHeaders(
    chat('sk-cho', 'gpt-4o-mini', 'Secrets around me.', {
      metadata: { api_key: clientSecrets.apiKey, db: { password: clientSecrets.password } },
    }),
    { cookie: clientSecrets.cookie, 'x-amz-security-token': clientSecrets.awsToken },
  ),

  rateLimit: chat('sk-ada', 'gpt-4o', 'Too fast. fake:rate-limit', {
    user: 'customer-2',
    metadata: { tags: ['prod'] },
  }),
  serverError: chat('sk-bob', 'in-house', `Crash. ${planted} fake:server-error`, {
    temperature: 1,
  }),
  unavailable: chat('sk-cho', 'gpt-4o', 'Overload. fake:unavailable'),
  upstreamKey: chat('sk-dee', 'gpt-4o', 'Refuse the key. fake:unauthorized'),
  badRequest: chat('sk-dee', 'gpt-4o', 'Refuse it. fake:bad-request'),
  timeout: chat('sk-dee', 'slow', 'Think long.'),
  contentFilter: chat('sk-ada', 'gpt-4o-mini', `Something vile. ${planted} fake:content-filter`),
  contextWindow: chat('sk-bob', 'gpt-4o-mini', 'Far too long. fake:context-window'),
  streamRefused: chat('sk-bob', 'gpt-4o', 'Too fast to stream. fake:rate-limit', { stream: true }),
  midStream: chat('sk-cho', 'gpt-4o', `Break off. ${planted} fake:midstream fake:delay=100`, {
    stream: true,
  }),
  retried: chat('sk-dee', 'flaky', 'Try again.'),
  fallback: chat('sk-ada', 'primary', 'Fall back.'),
  unknownModel: chat('sk-bob', 'no-such-model', 'Anybody there?'),
  longError: chat('sk-bob', `no-such-model-${'x'.repeat(600)}`, 'Say it at length.'),
  garbage: chat('sk-bob', 'gpt-4o', 'Answer in tongues. fake:garbage'),
  noModel: {
    key: 'sk-cho',
    path: '/v1/chat/completions',
    prompt: 'To whom?',
    body: { messages: [{ role: 'user', content: 'To whom?' }] },
  },
  brokenBody: { ...chat('sk-dee', '', 'Cut off'), body: '{"model": "gpt-4o", "messages": [' },
  noMessages: {
    key: 'sk-cho',
    path: '/v1/chat/completions',
    prompt: '',
    body: { model: 'gpt-4o-mini', temperature: 0.1 },
  },
  badKey: chat('sk-nobody-knows', 'gpt-4o-mini', 'Let me in.'),
} as const satisfies Record<string, CallPlan>;

/** Made after those above: the same questions, asked by somebody else. */
export const repeated = {
  hit: { ...calls.missed, key: 'sk-dee' },
  hitStream: { ...calls.missedStream, key: 'sk-dee' },
} as const satisfies Record<string, CallPlan>;

export type CallName = keyof typeof calls | keyof typeof repeated;

/** What LiteLLM logs twice: the attempt that failed and the one that made it good. */
export const loggedTwice: ReadonlySet<CallName> = new Set<CallName>(['retried', 'fallback']);
