/** What a call becomes as a trace of one span, as plain values; the serializer brings them within MLflow's limits. */
export interface TracePlan {
  /** 32 and 16 hex digits. */
  traceId: string;
  spanId: string;
  name: string;
  spanType: 'CHAT_MODEL' | 'LLM' | 'EMBEDDING';
  status: 'OK' | 'ERROR';
  /** Unix milliseconds, with fractions. */
  startTime: number;
  endTime: number;
  /** JSON, as MLflow's pages show them; absent where the call has no body. */
  inputs?: string;
  outputs?: string;
  /** How the pages read inputs and outputs as a conversation. */
  messageFormat?: 'openai';
  /** By MLflow's names, such as `input_tokens`. */
  tokens: Record<string, number>;
  /** US dollars by MLflow's names, such as `total_cost`; empty where the cost is not known. */
  cost: Record<string, number>;
  model?: string;
  provider?: string;
  /** What joins traces: those with the same text are one session. */
  session?: string;
  user?: string;
  tags: Map<string, string>;
  error?: { type: string; message?: string; stacktrace?: string };
}
