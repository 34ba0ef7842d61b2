import type { IncomingHttpHeaders } from 'node:http';
import { singleHeader } from './received-request.ts';

export type ResourceKind = 'tracking-server' | 'app';

/** What one kind of resource wants of a request (as Amazon's plugin `sagemaker-mlflow` 0.5.0 makes it). */
export interface Routing {
  readonly kind: ResourceKind;
  /** The header that names the resource by its ARN. */
  readonly header: string;
  /** The service that a request is signed for. */
  readonly service: string;
  readonly arnForm: RegExp;
}

const routings: readonly Routing[] = [
  {
    kind: 'tracking-server',
    header: 'x-mlflow-sm-tracking-server-arn',
    service: 'sagemaker-mlflow',
    arnForm: /^arn:aws[a-z-]*:sagemaker:([a-z0-9-]*):\d{12}:mlflow-tracking-server\/.+$/,
  },
  {
    kind: 'app',
    header: 'x-sm-mlflow-app-arn',
    service: 'sagemaker',
    arnForm: /^arn:aws[a-z-]*:sagemaker:([a-z0-9-]*):\d{12}:mlflow-app\/.+$/,
  },
];

/** To which resource a request says that it goes. */
export interface Destination extends Routing {
  readonly arn: string;
  /** `undefined` where the ARN is not one of its kind. */
  readonly region: string | undefined;
}

export function destinationOf(headers: IncomingHttpHeaders): Destination | undefined {
  for (const routing of routings) {
    const arn = singleHeader(headers, routing.header);
    if (arn !== undefined) return { ...routing, arn, region: routing.arnForm.exec(arn)?.[1] };
  }
  return undefined;
}
