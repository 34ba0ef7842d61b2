import type { DescribeMlflowTrackingServerResponse, UserContext } from '@aws-sdk/client-sagemaker';
import { NoCredentialsError } from './authorizer.ts';
import { clientTimeouts } from './client-timeouts.ts';
import { type CredentialSource, providerFor } from './credentials.ts';
import { errorName } from './error-name.ts';
import type { MlflowResource } from './mlflow-resource.ts';

/** What a list of tracking servers and apps tells of each. */
export interface ListedMlflow {
  kind: MlflowResource['kind'];
  arn: string;
  name: string;
  /** One of SageMaker's statuses, such as `Started`; a newer SageMaker may have others. */
  status: string;
  /** Whether a tracking server serves; of an app only its status tells. */
  active: boolean | undefined;
  version: string | undefined;
  created: Date | undefined;
  modified: Date | undefined;
}

/** A tracking server or an app, as the control plane describes it. */
export interface MlflowDescription extends ListedMlflow {
  /** Of a tracking server alone. */
  size: string | undefined;
  artifactStore: string | undefined;
  role: string | undefined;
  /** When the weekly maintenance begins, such as `Tue:03:30`, in UTC. */
  maintenanceWindow: string | undefined;
  /** How the last maintenance stands. */
  maintenance: string | undefined;
  createdBy: string | undefined;
  modifiedBy: string | undefined;
  kmsKey: string | undefined;
}

/** For how long a link is good, and what it opens, in seconds. */
export interface LinkLife {
  expires: number;
  session: number;
}

/** What an operator asks of SageMaker's control plane. Each throws a `ControlError`. */
export interface MlflowControl {
  describeServer(name: string, signal?: AbortSignal): Promise<MlflowDescription>;
  startServer(name: string, signal?: AbortSignal): Promise<void>;
  stopServer(name: string, signal?: AbortSignal): Promise<void>;
  listServers(): Promise<ListedMlflow[]>;
  /** A link that lets in whoever has it. */
  linkToServer(name: string, life: LinkLife): Promise<string>;
  describeApp(arn: string): Promise<MlflowDescription>;
  listApps(): Promise<ListedMlflow[]>;
  /** A link that lets in whoever has it. */
  linkToApp(arn: string, life: LinkLife): Promise<string>;
  close(): void;
}

/** An operation that SageMaker refused, or that did not reach it. */
export class ControlError extends Error {
  /** The operation, `StartMlflowTrackingServer`, which is the name of the permission as well. */
  readonly operation: string;
  /** As SageMaker names it, `ConflictException`, or the code of a failed connection. */
  readonly code: string;

  constructor(operation: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : 'unknown');
    this.name = 'ControlError';
    this.operation = operation;
    this.code = cause instanceof NoCredentialsError ? cause.name : errorName(cause);
  }
}

/** Tries of each request before it counts as failed: throttling and lost answers are tried again. */
const attempts = 4;

/**
 * Opens SageMaker's control plane by Amazon's own client, which is loaded now: it takes 28 MB of memory,
 * so the daemon does without it.
 *
 * @param endpoint Takes the place of the region's own, as `AWS_ENDPOINT_URL_SAGEMAKER` does.
 */
export async function openMlflowControl(
  region: string,
  credentials: CredentialSource,
  endpoint?: string,
): Promise<MlflowControl> {
  const sdk = await import('@aws-sdk/client-sagemaker');
  const client = new sdk.SageMakerClient({
    region,
    credentials: providerFor(credentials),
    requestHandler: clientTimeouts,
    maxAttempts: attempts,
    ...(endpoint !== undefined && { endpoint }),
  });
  const of = async <T>(operation: string, asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      throw new ControlError(operation, error);
    }
  };
  const options = (signal?: AbortSignal) => (signal === undefined ? {} : { abortSignal: signal });
  const lifeOf = ({ expires, session }: LinkLife) => ({
    ExpiresInSeconds: expires,
    SessionExpirationDurationInSeconds: session,
  });

  return {
    describeServer: async (name, signal) => {
      const command = new sdk.DescribeMlflowTrackingServerCommand({ TrackingServerName: name });
      const found = client.send(command, options(signal));
      return serverOf(name, await of('DescribeMlflowTrackingServer', found));
    },
    startServer: async (name, signal) => {
      const command = new sdk.StartMlflowTrackingServerCommand({ TrackingServerName: name });
      await of('StartMlflowTrackingServer', client.send(command, options(signal)));
    },
    stopServer: async (name, signal) => {
      const command = new sdk.StopMlflowTrackingServerCommand({ TrackingServerName: name });
      await of('StopMlflowTrackingServer', client.send(command, options(signal)));
    },
    listServers: () => {
      const pages = sdk.paginateListMlflowTrackingServers({ client, pageSize }, {});
      const all = inOrder(pages, (page) =>
        (page.TrackingServerSummaries ?? []).map((one) => listedServer(one)),
      );
      return of('ListMlflowTrackingServers', all);
    },
    linkToServer: async (name, life) => {
      const command = new sdk.CreatePresignedMlflowTrackingServerUrlCommand({
        TrackingServerName: name,
        ...lifeOf(life),
      });
      const operation = 'CreatePresignedMlflowTrackingServerUrl';
      return linkIn(operation, await of(operation, client.send(command)));
    },
    describeApp: async (arn) => {
      const command = new sdk.DescribeMlflowAppCommand({ Arn: arn });
      const found = await of('DescribeMlflowApp', client.send(command));
      return {
        ...listedApp(found),
        arn,
        size: undefined,
        artifactStore: found.ArtifactStoreUri,
        role: found.RoleArn,
        maintenanceWindow: found.WeeklyMaintenanceWindowStart,
        maintenance: found.MaintenanceStatus,
        createdBy: whoIs(found.CreatedBy),
        modifiedBy: whoIs(found.LastModifiedBy),
        kmsKey: found.KmsKeyId,
      };
    },
    listApps: () => {
      const pages = sdk.paginateListMlflowApps({ client, pageSize }, {});
      const all = inOrder(pages, (page) => (page.Summaries ?? []).map((one) => listedApp(one)));
      return of('ListMlflowApps', all);
    },
    linkToApp: async (arn, life) => {
      const command = new sdk.CreatePresignedMlflowAppUrlCommand({ Arn: arn, ...lifeOf(life) });
      const operation = 'CreatePresignedMlflowAppUrl';
      return linkIn(operation, await of(operation, client.send(command)));
    },
    close: () => client.destroy(),
  };
}

/** The most that SageMaker lists in an answer. */
const pageSize = 100;

async function inOrder<Page, T>(pages: AsyncIterable<Page>, of: (page: Page) => T[]): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...of(page));
  return all;
}

type Server = DescribeMlflowTrackingServerResponse;

function listedServer(
  found: Pick<
    Server,
    | ('TrackingServerArn' | 'TrackingServerName' | 'TrackingServerStatus' | 'IsActive')
    | ('MlflowVersion' | 'CreationTime' | 'LastModifiedTime')
  >,
): ListedMlflow {
  return {
    kind: 'mlflow-tracking-server',
    arn: found.TrackingServerArn ?? '',
    name: found.TrackingServerName ?? '',
    status: found.TrackingServerStatus ?? 'unknown',
    active: found.IsActive === 'Active',
    version: found.MlflowVersion,
    created: found.CreationTime,
    modified: found.LastModifiedTime,
  };
}

function serverOf(name: string, found: Server): MlflowDescription {
  return {
    ...listedServer(found),
    name: found.TrackingServerName ?? name,
    size: found.TrackingServerSize,
    artifactStore: found.ArtifactStoreUri,
    role: found.RoleArn,
    maintenanceWindow: found.WeeklyMaintenanceWindowStart,
    maintenance: found.TrackingServerMaintenanceStatus,
    createdBy: whoIs(found.CreatedBy),
    modifiedBy: whoIs(found.LastModifiedBy),
    kmsKey: undefined,
  };
}

interface AppAnswer {
  Arn?: string | undefined;
  Name?: string | undefined;
  Status?: string | undefined;
  MlflowVersion?: string | undefined;
  CreationTime?: Date | undefined;
  LastModifiedTime?: Date | undefined;
}

function listedApp(found: AppAnswer): ListedMlflow {
  return {
    kind: 'mlflow-app',
    arn: found.Arn ?? '',
    name: found.Name ?? '',
    status: found.Status ?? 'unknown',
    active: undefined,
    version: found.MlflowVersion,
    created: found.CreationTime,
    modified: found.LastModifiedTime,
  };
}

function whoIs(user: UserContext | undefined): string | undefined {
  return user?.UserProfileName ?? user?.IamIdentity?.Arn;
}

function linkIn(operation: string, { AuthorizedUrl: url }: { AuthorizedUrl?: string | undefined }) {
  if (url !== undefined) return url;
  throw new ControlError(operation, new Error('the answer holds no link'));
}
