import type { Constraint, Structure } from './constraint.ts';

/** SageMaker's model of its MLflow operations: botocore 1.44.8, sagemaker/2017-07-24/service-2.json. */

export const trackingServerStatuses = [
  ...['Creating', 'Created', 'CreateFailed', 'Updating', 'Updated', 'UpdateFailed', 'Deleting'],
  ...['DeleteFailed', 'Stopping', 'Stopped', 'StopFailed', 'Starting', 'Started', 'StartFailed'],
  ...['MaintenanceInProgress', 'MaintenanceComplete', 'MaintenanceFailed'],
];
export const appStatuses = [
  ...['Creating', 'Created', 'CreateFailed', 'Updating', 'Updated', 'UpdateFailed', 'Deleting'],
  ...['DeleteFailed', 'Deleted'],
];

const text: Constraint = { type: 'string' };
const boolean: Constraint = { type: 'boolean' };
const timestamp: Constraint = { type: 'timestamp' };
const oneOf = (...values: string[]): Constraint => ({ type: 'string', values });

const name: Constraint = {
  type: 'string',
  min: 1,
  max: 256,
  pattern: '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}',
};
const appArn: Constraint = {
  type: 'string',
  min: 1,
  max: 128,
  pattern: 'arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:mlflow-app/.*',
};
const roleArn: Constraint = {
  type: 'string',
  min: 20,
  max: 2048,
  pattern: 'arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+',
};
const s3Uri: Constraint = { type: 'string', max: 1024, pattern: '(https|s3)://([^/]+)/?(.*)' };
const weeklyWindow: Constraint = {
  type: 'string',
  max: 9,
  pattern: '(Mon|Tue|Wed|Thu|Fri|Sat|Sun):([01]\\d|2[0-3]):([0-5]\\d)',
};
const version: Constraint = { type: 'string', max: 16, pattern: '[0-9]*.[0-9]*.[0-9]*' };
const size = oneOf('Small', 'Medium', 'Large');
const account: Constraint = { type: 'string', min: 12, max: 12, pattern: '\\d+' };
const tagPattern = '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)';
const tags: Constraint = {
  type: 'list',
  max: 50,
  of: {
    type: 'structure',
    required: ['Key', 'Value'],
    members: {
      Key: { type: 'string', min: 1, max: 128, pattern: tagPattern },
      Value: { type: 'string', max: 256, pattern: tagPattern },
    },
  },
};
const registration = oneOf('AutoModelRegistrationEnabled', 'AutoModelRegistrationDisabled');
const accountDefault = oneOf('ENABLED', 'DISABLED');
const domains: Constraint = {
  type: 'list',
  of: { type: 'string', max: 63, pattern: 'd-(-*[a-z0-9]){1,61}' },
};
const presigned = {
  ExpiresInSeconds: { type: 'integer', min: 5, max: 300 },
  SessionExpirationDurationInSeconds: { type: 'integer', min: 1800, max: 43_200 },
} as const;
const listed = {
  CreatedAfter: timestamp,
  CreatedBefore: timestamp,
  MlflowVersion: version,
  SortBy: oneOf('Name', 'CreationTime', 'Status'),
  SortOrder: oneOf('Ascending', 'Descending'),
  NextToken: { type: 'string', max: 8192, pattern: '.*' },
  MaxResults: { type: 'integer', min: 1, max: 100 },
} as const;

const changeable = {
  ArtifactStoreUri: s3Uri,
  WeeklyMaintenanceWindowStart: weeklyWindow,
};
const changeableOfServer = {
  ...changeable,
  TrackingServerSize: size,
  AutomaticModelRegistration: boolean,
  S3BucketOwnerAccountId: account,
  S3BucketOwnerVerification: boolean,
};
const changeableOfApp = {
  ...changeable,
  Name: name,
  ModelRegistrationMode: registration,
  AccountDefaultStatus: accountDefault,
  DefaultDomainIdList: domains,
};

function structure(
  required: readonly string[],
  members: Readonly<Record<string, Constraint>>,
): Structure {
  return { type: 'structure', required, members };
}

const oneServer = structure(['TrackingServerName'], { TrackingServerName: name });
const oneApp = structure(['Arn'], { Arn: appArn });

/** The input of each operation. */
export const inputs = {
  CreateMlflowTrackingServer: structure(['TrackingServerName', 'ArtifactStoreUri', 'RoleArn'], {
    ...changeableOfServer,
    TrackingServerName: name,
    RoleArn: roleArn,
    MlflowVersion: version,
    Tags: tags,
  }),
  DescribeMlflowTrackingServer: oneServer,
  ListMlflowTrackingServers: structure([], {
    ...listed,
    TrackingServerStatus: oneOf(...trackingServerStatuses),
  }),
  UpdateMlflowTrackingServer: structure(['TrackingServerName'], {
    ...changeableOfServer,
    TrackingServerName: name,
  }),
  DeleteMlflowTrackingServer: oneServer,
  StartMlflowTrackingServer: oneServer,
  StopMlflowTrackingServer: oneServer,
  CreatePresignedMlflowTrackingServerUrl: structure(['TrackingServerName'], {
    ...presigned,
    TrackingServerName: name,
  }),
  CreateMlflowApp: structure(['Name', 'ArtifactStoreUri', 'RoleArn'], {
    ...changeableOfApp,
    RoleArn: roleArn,
    KmsKeyId: { type: 'string', max: 2048, pattern: '[a-zA-Z0-9:/_-]*' },
    Tags: tags,
  }),
  DescribeMlflowApp: oneApp,
  ListMlflowApps: structure([], {
    ...listed,
    Status: oneOf(...appStatuses),
    DefaultForDomainId: text,
    AccountDefaultStatus: accountDefault,
  }),
  UpdateMlflowApp: structure(['Arn'], { ...changeableOfApp, Arn: appArn }),
  DeleteMlflowApp: oneApp,
  CreatePresignedMlflowAppUrl: structure(['Arn'], { ...presigned, Arn: appArn }),
} as const satisfies Readonly<Record<string, Structure>>;

export type Operation = keyof typeof inputs;

export function isOperation(name: string): name is Operation {
  return Object.hasOwn(inputs, name);
}
