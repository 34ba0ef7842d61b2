/** Who calls what on the day of the pictures: made up, in the shape of a small company. */
export interface Work {
  readonly team: string;
  readonly user: string;
  readonly key: string;
  readonly tag: string;
  /** How much of the day's calls it makes, relative to the others. */
  readonly share: number;
  readonly models: readonly Model[];
  /** What is asked and answered, in turn. */
  readonly talk: readonly (readonly [question: string, answer: string])[];
}

export interface Model {
  readonly group: string;
  readonly name: string;
  readonly provider: string;
  readonly callType: string;
  /** The median, in milliseconds, of the whole answer. */
  readonly latencyMs: number;
  /** Tokens of a usual call. */
  readonly tokens: readonly [prompt: number, completion: number];
  /** US dollars for a million tokens. */
  readonly price: readonly [input: number, output: number];
  /** The share of its calls that LiteLLM's cache answers. */
  readonly cached: number;
  /** The most of a prompt that the provider's own cache has. */
  readonly promptCached: number;
}

const openai = { provider: 'openai', callType: 'acompletion' };

export const gpt4o: Model = {
  ...{ ...openai, group: 'gpt-4o', name: 'openai/gpt-4o' },
  ...{ latencyMs: 1_900, tokens: [1_400, 380], price: [2.5, 10], cached: 0.04, promptCached: 0.5 },
};
export const mini: Model = {
  ...{ ...openai, group: 'gpt-4o-mini', name: 'openai/gpt-4o-mini' },
  ...{ latencyMs: 750, tokens: [620, 140], price: [0.15, 0.6], cached: 0.24, promptCached: 0 },
};
export const claude: Model = {
  ...{ group: 'claude-sonnet', name: 'anthropic/claude-sonnet-4-5', provider: 'anthropic' },
  ...{
    callType: 'acompletion',
    latencyMs: 2_700,
    tokens: [2_100, 420],
    price: [3, 15],
    cached: 0,
    promptCached: 0.8,
  },
};
const embedding: Model = {
  ...{ group: 'text-embedding-3-small', name: 'openai/text-embedding-3-small' },
  ...{ provider: 'openai', callType: 'aembedding', latencyMs: 180, tokens: [900, 0] },
  ...{ price: [0.02, 0], cached: 0.3, promptCached: 0 },
};

const fraud: Work['talk'] = [
  ['Is a card payment of 1,240 EUR at 03:12 from a new device unusual?', 'Yes: amount and hour.'],
  ['Summarise the dispute of order 48213.', 'The customer says that the parcel never arrived.'],
  ['Which rule stopped payment 99871?', 'The limit of three attempts within a minute.'],
];
const help: Work['talk'] = [
  ['How do I change the address of an order?', 'Open the order and choose Edit address.'],
  ['My invoice shows the wrong VAT number.', 'I have corrected it; a new invoice is on its way.'],
  ['The app signs me out every morning.', 'Please update to 4.2, which mends this.'],
];
const find: Work['talk'] = [
  ['Rewrite as a search query: warm waterproof jacket for a dog', 'dog jacket waterproof lined'],
  ['Which category fits "cordless drill 18 V"?', 'Tools > Power tools > Drills'],
];
const read: Work['talk'] = [
  ['Extract supplier, date and total from this invoice.', '{"supplier":"Acme","total":412.5}'],
  ['List the obligations in section 4 of the contract.', 'Delivery in 14 days; notice in writing.'],
];

export const works: readonly Work[] = [
  work('payments', 'ada', 'checkout', 'fraud', 20, [gpt4o, gpt4o, mini], fraud),
  work('payments', 'bob', 'disputes', 'disputes', 8, [gpt4o], fraud),
  work('search', 'cho', 'query-rewrite', 'search', 34, [mini, mini, embedding], find),
  work('support', 'dee', 'helpdesk', 'chat', 16, [claude, claude, mini], help),
  work('support', 'eve', 'helpdesk', 'chat', 9, [claude], help),
  work('back-office', 'fay', 'documents', 'batch', 13, [gpt4o, mini, mini], read),
];

function work(
  team: string,
  user: string,
  key: string,
  tag: string,
  share: number,
  models: Work['models'],
  talk: Work['talk'],
): Work {
  return { team, user, key, tag, share, models, talk };
}
