import { ApiError } from './api-error.ts';
import type { Input } from './constraint.ts';
import { listPage } from './listing.ts';
import {
  newId,
  notFound,
  type PresignedUrl,
  presign,
  Resource,
  type Surroundings,
} from './resources.ts';

/** The MLflow apps of one account and region, and the six operations on them. */
export class Apps {
  readonly #surroundings: Surroundings;
  readonly #apps = new Map<string, App>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  find(arn: unknown): App {
    const app = this.#apps.get(String(arn));
    if (app === undefined) throw notFound(`MLflow App ${arn}`);
    return app;
  }

  /** One that was deleted stays to be described, with the status that the model has for it. */
  all(): App[] {
    return [...this.#apps.values()];
  }

  create(input: Input): object {
    const app = new App(input, this.#surroundings);
    this.#apps.set(app.arn, app);
    return { Arn: app.arn };
  }

  describe(input: Input): object {
    return this.find(input['Arn']).description();
  }

  list(input: Input): object {
    const { DefaultForDomainId: domain, AccountDefaultStatus: byDefault } = input;
    const wanted = this.all()
      .filter((app) => domain === undefined || app.domains.includes(domain))
      .filter((app) => byDefault === undefined || app.accountDefault === byDefault);
    const { page, next } = listPage(wanted, input, input['Status']);
    return { Summaries: page.map((app) => app.summary()), ...next };
  }

  update({ Arn, ...changes }: Input): object {
    const app = this.#changeable(Arn, 'updated');
    app.update(changes);
    return { Arn: app.arn };
  }

  delete(input: Input): object {
    const app = this.#changeable(input['Arn'], 'deleted');
    app.lifeCycle.begin('Delete');
    return { Arn: app.arn };
  }

  presign(input: Input): PresignedUrl {
    const { arn, host, lifeCycle } = this.find(input['Arn']);
    if (lifeCycle.isGone) throw notFound(`MLflow App ${arn}`);
    return presign(arn, host, input);
  }

  #changeable(arn: unknown, verb: string): App {
    const app = this.find(arn);
    if (app.lifeCycle.isGone) throw notFound(`MLflow App ${arn}`);
    if (app.lifeCycle.change === undefined) return app;
    const text = `MLflow App ${arn} is currently in status ${app.status}, can't be ${verb}.`;
    throw new ApiError('ConflictException', text);
  }
}

class App extends Resource {
  /** The name under which its UI is reached. */
  readonly host: string;

  constructor(given: Input, surroundings: Surroundings) {
    const { account, region } = surroundings;
    const id = `app-${newId(12, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}`;
    const arn = `arn:aws:sagemaker:${region}:${account}:mlflow-app/${id}`;
    super(String(given['Name']), arn, given, surroundings);
    this.host = `${id.toLowerCase()}.mlflow.sagemaker.${region}.app.aws`;
  }

  get domains(): readonly unknown[] {
    const domains = this.given('DefaultDomainIdList', []);
    return Array.isArray(domains) ? domains : [];
  }

  get accountDefault(): unknown {
    return this.given('AccountDefaultStatus', 'DISABLED');
  }

  description(): object {
    return {
      ...this.describe(),
      Arn: this.arn,
      Name: this.given('Name', this.name),
      Status: this.status,
      ModelRegistrationMode: this.given('ModelRegistrationMode', 'AutoModelRegistrationDisabled'),
      AccountDefaultStatus: this.accountDefault,
      DefaultDomainIdList: this.domains,
      KmsKeyId: this.given('KmsKeyId', undefined),
      MaintenanceStatus: this.lifeCycle.maintenance,
    };
  }

  summary(): object {
    return {
      Arn: this.arn,
      Name: this.given('Name', this.name),
      Status: this.status,
      MlflowVersion: this.version,
      ...this.times(),
    };
  }
}
