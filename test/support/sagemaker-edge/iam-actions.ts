import type { ResourceKind } from './resource.ts';

/** The one action that stands before an app; MLflow's own requests are not told apart there. */
const appAction = 'sagemaker:CallMlflowAppApi';

/**
 * MLflow's requests and the actions of the service prefix `sagemaker-mlflow` that allow them, after the
 * names in AWS's service authorization reference. Left out is what has none there: OTLP, assessments,
 * linking traces to runs, data sets, `POST logged-models`, presigned uploads, `/version`.
 */
const actions: readonly (readonly [method: string, path: string, action: string])[] = [
  ['POST', 'experiments/create', 'CreateExperiment'],
  ['POST', 'experiments/search', 'SearchExperiments'],
  ['GET', 'experiments/search', 'SearchExperiments'],
  ['GET', 'experiments/get', 'GetExperiment'],
  ['GET', 'experiments/get-by-name', 'GetExperimentByName'],
  ['POST', 'experiments/delete', 'DeleteExperiment'],
  ['POST', 'experiments/restore', 'RestoreExperiment'],
  ['POST', 'experiments/update', 'UpdateExperiment'],
  ['POST', 'experiments/set-experiment-tag', 'SetExperimentTag'],
  ['POST', 'runs/create', 'CreateRun'],
  ['POST', 'runs/delete', 'DeleteRun'],
  ['POST', 'runs/restore', 'RestoreRun'],
  ['GET', 'runs/get', 'GetRun'],
  ['POST', 'runs/update', 'UpdateRun'],
  ['POST', 'runs/search', 'SearchRuns'],
  ['POST', 'runs/log-batch', 'LogBatch'],
  ['POST', 'runs/log-metric', 'LogMetric'],
  ['POST', 'runs/log-parameter', 'LogParam'],
  ['POST', 'runs/log-model', 'LogModel'],
  ['POST', 'runs/log-inputs', 'LogInputs'],
  ['POST', 'runs/outputs', 'LogOutputs'],
  ['POST', 'runs/set-tag', 'SetTag'],
  ['POST', 'runs/delete-tag', 'DeleteTag'],
  ['GET', 'metrics/get-history', 'GetMetricHistory'],
  ['GET', 'artifacts/list', 'ListArtifacts'],
  ['POST', 'traces', 'StartTrace'],
  ['PATCH', 'traces/ID', 'EndTrace'],
  ['GET', 'traces/ID', 'GetTraceInfo'],
  ['GET', 'traces/ID/info', 'GetTraceInfo'],
  ['GET', 'traces', 'SearchTraces'],
  ['POST', 'traces/search', 'SearchTraces'],
  ['POST', 'traces/delete-traces', 'DeleteTraces'],
  ['PATCH', 'traces/ID/tags', 'SetTraceTag'],
  ['DELETE', 'traces/ID/tags', 'DeleteTraceTag'],
  ['GET', 'logged-models/ID', 'GetLoggedModel'],
  ['PATCH', 'logged-models/ID', 'FinalizeLoggedModel'],
  ['DELETE', 'logged-models/ID', 'DeleteLoggedModel'],
  ['POST', 'logged-models/search', 'SearchLoggedModels'],
  ['POST', 'logged-models/ID/params', 'LogLoggedModelParams'],
  ['PATCH', 'logged-models/ID/tags', 'SetLoggedModelTags'],
  ['DELETE', 'logged-models/ID/tags/*', 'DeleteLoggedModelTag'],
  ['GET', 'logged-models/ID/artifacts/directories', 'ListLoggedModelArtifacts'],
  ['POST', 'registered-models/create', 'CreateRegisteredModel'],
  ['POST', 'registered-models/rename', 'RenameRegisteredModel'],
  ['PATCH', 'registered-models/update', 'UpdateRegisteredModel'],
  ['DELETE', 'registered-models/delete', 'DeleteRegisteredModel'],
  ['GET', 'registered-models/get', 'GetRegisteredModel'],
  ['GET', 'registered-models/search', 'SearchRegisteredModels'],
  ['GET', 'registered-models/get-latest-versions', 'GetLatestModelVersions'],
  ['POST', 'registered-models/get-latest-versions', 'GetLatestModelVersions'],
  ['POST', 'registered-models/set-tag', 'SetRegisteredModelTag'],
  ['DELETE', 'registered-models/delete-tag', 'DeleteRegisteredModelTag'],
  ['POST', 'registered-models/alias', 'SetRegisteredModelAlias'],
  ['DELETE', 'registered-models/alias', 'DeleteRegisteredModelAlias'],
  ['GET', 'registered-models/alias', 'GetModelVersionByAlias'],
  ['POST', 'model-versions/create', 'CreateModelVersion'],
  ['GET', 'model-versions/get', 'GetModelVersion'],
  ['PATCH', 'model-versions/update', 'UpdateModelVersion'],
  ['DELETE', 'model-versions/delete', 'DeleteModelVersion'],
  ['GET', 'model-versions/search', 'SearchModelVersions'],
  ['GET', 'model-versions/get-download-uri', 'GetDownloadURIForModelVersionArtifacts'],
  ['POST', 'model-versions/transition-stage', 'TransitionModelVersionStage'],
  ['POST', 'model-versions/set-tag', 'SetModelVersionTag'],
  ['DELETE', 'model-versions/delete-tag', 'DeleteModelVersionTag'],
];

/** MLflow's REST API, under either of the two paths at which a server has it. */
const apiForm = /^\/(?:ajax-)?api\/[23]\.0\/mlflow\/(.+)$/;

export function isApiPath(path: string): boolean {
  return apiForm.test(path);
}

/** The IAM action that a request needs; `undefined` where AWS's reference has none for it. */
export function actionOf(kind: ResourceKind, method: string, path: string): string | undefined {
  if (kind === 'app') return appAction;
  const name = apiForm.exec(path)?.[1];
  if (name === undefined) return undefined;
  const segments = name.split('/');
  const found = actions.find(([verb, form]) => verb === method && fits(form, segments));
  return found === undefined ? undefined : `sagemaker-mlflow:${found[2]}`;
}

/** The ids that MLflow gives to traces and models; all else at that place is the name of a request. */
const idForm = /^(?:tr-|m-)?[\da-f]{32}$/;

function fits(form: string, segments: readonly string[]): boolean {
  const wanted = form.split('/');
  return (
    wanted.length === segments.length &&
    wanted.every((part, index) => {
      const segment = segments[index] ?? '';
      return part === '*' || (part === 'ID' ? idForm.test(segment) : part === segment);
    })
  );
}
