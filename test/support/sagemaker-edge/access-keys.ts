/** What IAM knows of an access key. */
export interface AccessKey {
  readonly secretAccessKey: string;
  /** Of temporary credentials: must come with each request, and be signed. */
  readonly sessionToken?: string;
  /** `sagemaker-mlflow:CreateRun`; a `*` at the end stands for any rest. */
  readonly allowed: readonly string[];
}

/** Finds an access key; `undefined` for one that does not exist. */
export type AccessKeyLookup = (
  accessKeyId: string,
) => AccessKey | undefined | Promise<AccessKey | undefined>;

/** The access keys of a server of the tests, with what was done to them since. */
export class AccessKeys {
  readonly #lookup: AccessKeyLookup;
  readonly #expired = new Set<string>();
  readonly #revoked = new Set<string>();
  readonly #denied = new Set<string>();

  constructor(lookup: AccessKeyLookup) {
    this.#lookup = lookup;
  }

  async find(accessKeyId: string): Promise<AccessKey | undefined> {
    return this.#revoked.has(accessKeyId) ? undefined : await this.#lookup(accessKeyId);
  }

  isExpired(accessKeyId: string): boolean {
    return this.#expired.has(accessKeyId);
  }

  isAllowed({ allowed }: AccessKey, action: string): boolean {
    if (this.#denied.has(action)) return false;
    return allowed.some((pattern) =>
      pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : action === pattern,
    );
  }

  /** From now on its session token has run out. */
  expire(accessKeyId: string): void {
    this.#expired.add(accessKeyId);
  }

  /** From now on it does not exist. */
  revoke(accessKeyId: string): void {
    this.#revoked.add(accessKeyId);
  }

  /** From now on nobody may do this, whatever their own permissions say. */
  deny(action: string): void {
    this.#denied.add(action);
  }

  /** Takes a `deny` back. */
  allow(action: string): void {
    this.#denied.delete(action);
  }
}
