/**
 * What MLflow takes, over all versions from 2.16 on. Lengths are in characters; a JavaScript string
 * has at least as many units as characters, so cutting by units stays within.
 */
export const limits = {
  /** Of metrics, params and tags. */
  keyLength: 250,
  /** 2.16 refuses more; later versions take 8000. */
  tagValueLength: 5000,
  paramValueLength: 6000,
  /** In one `runs/log-batch`. */
  params: 100,
  tags: 100,
  /** Of metrics, params and tags together. */
  batch: 1000,
  /** `runs/create` checks no count; this is ours. */
  createTags: 200,
  runNameLength: 250,
} as const;
