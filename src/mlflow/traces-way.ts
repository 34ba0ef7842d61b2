/** How traces go to a server. */
export type TracesWay =
  | {
      kind: 'otlp';
      /** It reads gzip. */
      gzip: boolean;
      /** A trace that is sent again counts once. */
      resendSafe: boolean;
      /** Of a request that it refuses, nothing was kept. */
      atomic: boolean;
      /** By which request it is asked what it has: infos alone, or whole traces. */
      ask: TracesAsk;
    }
  /** One request a trace, and its spans in a file. */
  | { kind: 'v3' }
  | { kind: 'none' };

export type TracesAsk = 'traces/batchGetInfos' | 'traces/batchGet';

/** `auto`: only where a trace costs a hundredth of a request. `on`: also where it costs one or two. */
export type TracesWish = 'auto' | 'on';

/**
 * What a version of MLflow does with traces: OTLP takes several a request from 3.6 on, gzip from 3.7;
 * `batchGetInfos` is there from 3.11, all or nothing from 3.12, a trace sent twice counts once from
 * 3.15. From 3.2 on traces can be made one by one.
 *
 * @param version Such as `3.10.1`; absent where it is not known.
 */
export function wayOfVersion(version: string, wish: TracesWish): TracesWay {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const isFrom = (least: number) => major > 3 || (major === 3 && minor >= least);
  if (isFrom(6)) {
    return {
      kind: 'otlp',
      gzip: isFrom(7),
      resendSafe: isFrom(15),
      atomic: isFrom(12),
      ask: isFrom(11) ? 'traces/batchGetInfos' : 'traces/batchGet',
    };
  }
  return isFrom(2) && wish === 'on' ? { kind: 'v3' } : { kind: 'none' };
}
