import { randomBytes, randomUUID } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Input } from './constraint.ts';
import { LifeCycle, type Pace } from './life-cycle.ts';
import type { Listed } from './listing.ts';

/** Where the resources of a control plane live, and what they can be. */
export interface Surroundings {
  readonly account: string;
  readonly region: string;
  readonly pace: Pace;
  /** The release that an app gets, and a tracking server whose creator asks for none. */
  readonly mlflowVersion: string;
}

/** A presigned URL that was given out. Each is as good as a password. */
export interface PresignedUrl {
  readonly arn: string;
  readonly url: string;
  readonly expiresInSeconds: number;
  readonly sessionSeconds: number;
}

/** A tracking server or an app. */
export class Resource implements Listed {
  readonly name: string;
  readonly arn: string;
  readonly version: string;
  readonly createdAt: number;
  readonly lifeCycle: LifeCycle;
  readonly #surroundings: Surroundings;
  /** What was given at creation and by updates, under the names of the API. */
  #given: Input;

  constructor(name: string, arn: string, given: Input, surroundings: Surroundings) {
    this.name = name;
    this.arn = arn;
    this.version = String(given['MlflowVersion'] ?? surroundings.mlflowVersion);
    this.createdAt = surroundings.pace.now();
    this.lifeCycle = new LifeCycle(surroundings.pace);
    this.#surroundings = surroundings;
    this.#given = given;
  }

  get status(): string {
    return this.lifeCycle.status;
  }

  update(changes: Input): void {
    this.#given = { ...this.#given, ...changes };
    this.lifeCycle.begin('Update');
  }

  /** The value of a member that was given, or `otherwise`. */
  given<T>(member: string, otherwise: T): unknown {
    return this.#given[member] ?? otherwise;
  }

  /** What every description tells. */
  describe(): object {
    const { account } = this.#surroundings;
    const by = {
      IamIdentity: {
        Arn: `arn:aws:sts::${account}:assumed-role/operator/session`,
        PrincipalId: 'AROAOPERATOR:session',
      },
    };
    return {
      ArtifactStoreUri: this.given('ArtifactStoreUri', undefined),
      RoleArn: this.given('RoleArn', undefined),
      MlflowVersion: this.version,
      WeeklyMaintenanceWindowStart: this.given('WeeklyMaintenanceWindowStart', 'Tue:03:30'),
      CreatedBy: by,
      LastModifiedBy: by,
      ...this.times(),
    };
  }

  /** In seconds since 1970, as JSON 1.1 writes times. */
  times(): { readonly CreationTime: number; readonly LastModifiedTime: number } {
    return {
      CreationTime: this.createdAt / 1000,
      LastModifiedTime: this.lifeCycle.changedAt / 1000,
    };
  }
}

/** @param host under which the UI of the resource is reached */
export function presign(arn: string, host: string, input: Input): PresignedUrl {
  const token = [randomUUID(), randomUUID(), randomUUID()]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  return {
    arn,
    url: `https://${host}/auth?authToken=${token}`,
    expiresInSeconds: Number(input['ExpiresInSeconds'] ?? 300),
    sessionSeconds: Number(input['SessionExpirationDurationInSeconds'] ?? 43_200),
  };
}

/** Letters and digits as AWS has them in its ids. */
export function newId(length: number, alphabet: string): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}

export function notFound(what: string): ApiError {
  return new ApiError('ResourceNotFound', `${what} does not exist.`);
}
