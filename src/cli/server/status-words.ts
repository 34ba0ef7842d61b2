import type { ListedMlflow } from '../../aws/mlflow-control.ts';

/** What a status means for who wants to use the tracking server or app, and what to do about it. */
export function statusWords({
  kind,
  status,
  active,
}: Pick<ListedMlflow, 'kind' | 'status' | 'active'>) {
  const isApp = kind === 'mlflow-app';
  switch (status) {
    case 'Creating':
      return isApp
        ? 'it is being created, which takes some minutes'
        : 'it is being created, which takes up to 25 minutes; it starts by itself';
    case 'Starting':
      return 'it serves in some minutes';
    case 'Stopping':
      return 'it serves no more; what is recorded stays';
    case 'Stopped':
      return 'it serves nothing, and "server start" starts it; calls wait in the journal meanwhile';
    case 'Deleting':
      return 'it is being deleted';
    case 'Deleted':
      return 'it is gone';
    case 'CreateFailed':
      return 'it could not be created, and SageMaker gives no reason: look at the execution role and the bucket, delete it and create another';
    case 'StartFailed':
      return active
        ? 'it serves, though a start failed'
        : 'it could not be started, and SageMaker gives no reason: look at the execution role and the bucket, then "server start"';
    case 'StopFailed':
      return active ? 'it could not be stopped and still serves: "server stop" again' : stopped;
    case 'UpdateFailed':
      return `the last change of its settings failed and is not in force; ${serving(active)}`;
    case 'DeleteFailed':
      return `it could not be deleted; ${serving(active)}`;
    case 'MaintenanceFailed':
      return `the last maintenance failed; ${serving(active)}`;
    case 'Updating':
      return `its settings are being changed; ${serving(active)}`;
    case 'MaintenanceInProgress':
      return `AWS maintains it; ${serving(active)}`;
    default:
      return serving(active);
  }
}

const stopped = 'it does not serve';

function serving(active: boolean | undefined): string {
  if (active === undefined) return 'it serves';
  return active ? 'it serves' : stopped;
}
