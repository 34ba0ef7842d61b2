import type { Destination } from '../destination.ts';
import { createHttpTransport, type HttpTransport } from '../mlflow/http-transport.ts';
import type { Settings } from '../settings/schema.ts';

/** What a command asks MLflow by: one request at a time, as the settings have it. */
export function oneConnection(
  settings: Settings,
  { url, authorize }: Pick<Destination, 'url' | 'authorize'>,
): HttpTransport {
  return createHttpTransport({
    url,
    connections: 1,
    timeoutMs: () => settings.destination.timeout,
    authorize,
  });
}
