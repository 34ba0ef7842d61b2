import { ApiError } from './api-error.ts';
import type { Input } from './constraint.ts';
import type { Change } from './life-cycle.ts';
import { listPage } from './listing.ts';
import {
  newId,
  notFound,
  type PresignedUrl,
  presign,
  Resource,
  type Surroundings,
} from './resources.ts';

/** The tracking servers of one account and region, and the eight operations on them. */
export class TrackingServers {
  readonly #surroundings: Surroundings;
  readonly #servers = new Map<string, TrackingServer>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  find(name: unknown): TrackingServer {
    const server = this.#servers.get(String(name));
    if (server === undefined || server.lifeCycle.isGone) {
      throw notFound(`MLflow Tracking Server ${name}`);
    }
    return server;
  }

  all(): TrackingServer[] {
    return [...this.#servers.values()].filter(({ lifeCycle }) => !lifeCycle.isGone);
  }

  create(input: Input): object {
    const name = String(input['TrackingServerName']);
    if (this.all().some((server) => server.name === name)) {
      throw new ApiError('ValidationException', `Tracking Server ${name} already exists.`);
    }
    const server = new TrackingServer(name, input, this.#surroundings);
    this.#servers.set(name, server);
    return { TrackingServerArn: server.arn };
  }

  describe(input: Input): object {
    return this.find(input['TrackingServerName']).description();
  }

  list(input: Input): object {
    const { page, next } = listPage(this.all(), input, input['TrackingServerStatus']);
    return { TrackingServerSummaries: page.map((server) => server.summary()), ...next };
  }

  update({ TrackingServerName, ...changes }: Input): object {
    const server = this.find(TrackingServerName);
    if (server.lifeCycle.change !== undefined) throw busy(server, 'updated');
    server.update(changes);
    return { TrackingServerArn: server.arn };
  }

  /** The text is one that AWS was seen to answer with (aws/amazon-sagemaker-feedback#104). */
  delete(input: Input): object {
    const server = this.find(input['TrackingServerName']);
    if (server.lifeCycle.change !== undefined) {
      const state = server.status.toUpperCase();
      const text = `Tracking Server is in un-deletable state (${state}), so it cannot be deleted.`;
      throw new ApiError('ValidationException', text);
    }
    server.lifeCycle.begin('Delete');
    return { TrackingServerArn: server.arn };
  }

  start(input: Input): object {
    return this.#switch(input, 'Start', true);
  }

  stop(input: Input): object {
    return this.#switch(input, 'Stop', false);
  }

  presign(input: Input): PresignedUrl {
    const { arn, host } = this.find(input['TrackingServerName']);
    return presign(arn, host, input);
  }

  /**
   * One that is on its way already, or there, is a conflict; one in another change is no valid target,
   * in words that AWS was seen to use (aws/amazon-sagemaker-feedback#104).
   */
  #switch(input: Input, change: Change, isActiveAfter: boolean): object {
    const server = this.find(input['TrackingServerName']);
    const { change: underWay, isActive } = server.lifeCycle;
    const verb = change === 'Start' ? 'started' : 'stopped';
    if (underWay === 'Start' || underWay === 'Stop') throw busy(server, verb);
    if (underWay !== undefined) {
      const status = server.status.toUpperCase();
      const text = `Tracking Server with ARN ${server.arn} is currently in status ${status}, can't be ${verb}.`;
      throw new ApiError('ValidationException', text);
    }
    if (isActive === isActiveAfter) throw busy(server, verb);
    server.lifeCycle.begin(change);
    return { TrackingServerArn: server.arn };
  }
}

class TrackingServer extends Resource {
  /** The name under which its UI is reached. */
  readonly host: string;

  constructor(name: string, given: Input, surroundings: Surroundings) {
    const { account, region } = surroundings;
    const arn = `arn:aws:sagemaker:${region}:${account}:mlflow-tracking-server/${name}`;
    super(name, arn, given, surroundings);
    const id = newId(12, 'abcdefghijklmnopqrstuvwxyz0123456789');
    this.host = `t-${id}.${region}.experiments.sagemaker.aws`;
  }

  description(): object {
    return {
      ...this.describe(),
      TrackingServerArn: this.arn,
      TrackingServerName: this.name,
      TrackingServerSize: this.given('TrackingServerSize', 'Small'),
      TrackingServerStatus: this.status,
      TrackingServerMaintenanceStatus: this.lifeCycle.maintenance,
      IsActive: this.#activity(),
      TrackingServerUrl: `https://${this.host}`,
      AutomaticModelRegistration: this.given('AutomaticModelRegistration', false),
      S3BucketOwnerAccountId: this.given('S3BucketOwnerAccountId', undefined),
      S3BucketOwnerVerification: this.given('S3BucketOwnerVerification', true),
    };
  }

  summary(): object {
    return {
      TrackingServerArn: this.arn,
      TrackingServerName: this.name,
      TrackingServerStatus: this.status,
      IsActive: this.#activity(),
      MlflowVersion: this.version,
      ...this.times(),
    };
  }

  #activity(): string {
    return this.lifeCycle.isActive ? 'Active' : 'Inactive';
  }
}

function busy({ arn, status }: TrackingServer, verb: string): ApiError {
  const text = `Tracking Server with ARN ${arn} is currently in status ${status}, can't be ${verb}.`;
  return new ApiError('ConflictException', text);
}
