/** Token usage as the fake model server reported it, one shape for all of its interfaces. */
export interface UpstreamUsage {
  /** All prompt tokens, those of the prompt cache included. */
  readonly promptTokens: number;
  /** All answered tokens, reasoning included. */
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly cacheWrittenTokens: number;
  readonly reasoningTokens: number;
}

/** One request to the fake model server and what became of it. */
export interface UpstreamRecord {
  /** The model's name as the server got it, without LiteLLM's `openai/`. */
  readonly model: string;
  readonly path: string;
  readonly stream: boolean;
  /** The last message or the input: what tests look a request up by. */
  readonly text: string;
  /** Unix milliseconds at which it arrived. */
  readonly at: number;
  /** Sent as `x-request-id`. */
  readonly requestId: string;
  /** The parsed request. */
  readonly body: Readonly<Record<string, unknown>>;
  /** 0 where the client had gone before it was answered. */
  status: number;
  /** The id of the answer, of successes. */
  responseId?: string;
  /** Absent where no usage was sent: faults, and streams that broke. */
  usage?: UpstreamUsage;
  /** The answered text. */
  answer?: string;
}
