/**
 * How long Amazon's clients wait, in milliseconds: for a connection, and for anything to happen on it.
 * Without these they wait for ever.
 */
export interface ClientTimeouts {
  connectionTimeout: number;
  socketTimeout: number;
}

export const clientTimeouts: ClientTimeouts = { connectionTimeout: 5_000, socketTimeout: 15_000 };
