import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });

const container = z.object({
  name: z.string(),
  image: z.string(),
  restartPolicy: z.string().optional(),
  args: z.array(z.string()).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  env: z.array(
    z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }),
  ),
  envFrom: z.array(z.unknown()).default([]),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  securityContext: z.record(z.string(), z.unknown()),
  volumeMounts: z.array(
    z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }),
  ),
});

const podSpec = z.object({
  serviceAccountName: z.string(),
  terminationGracePeriodSeconds: z.number(),
  securityContext: z.object({ fsGroup: z.number() }),
  initContainers: z.array(container).default([]),
  containers: z.array(container),
  volumes: z.array(
    z.object({
      name: z.string(),
      configMap: z.object({ name: z.string() }).optional(),
      secret: z.object({ secretName: z.string() }).optional(),
      emptyDir: z.unknown().optional(),
    }),
  ),
});

const statefulSet = z.object({
  kind: z.literal('StatefulSet'),
  spec: z.object({
    serviceName: z.string(),
    replicas: z.number(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: podSpec,
    }),
    volumeClaimTemplates: z.array(
      z.object({
        metadata: z.object({ name: z.string() }),
        spec: z.object({
          accessModes: z.array(z.string()),
          resources: z.object({ requests: z.object({ storage: z.string() }) }),
        }),
      }),
    ),
  }),
});

const anObject = z.looseObject({ kind: z.string(), metadata: z.object({ name: z.string() }) });
const configMap = z.object({ data: z.record(z.string(), z.string()) });

export type KubernetesObject = z.infer<typeof anObject>;
export type KubernetesContainer = z.infer<typeof container>;
export type StatefulSet = z.infer<typeof statefulSet>;

export interface Manifest {
  readonly objects: readonly KubernetesObject[];
  readonly statefulSet: StatefulSet;
}

/** A manifest of `config/kubernetes`; throws when what the tests look at has another shape. */
export async function readManifest(name: string): Promise<Manifest> {
  const text = await readFile(`config/kubernetes/${name}.yaml`, 'utf8');
  const objects = parseAllDocuments(text).map((one) => anObject.parse(one.toJS()));
  const found = objects.find(({ kind }) => kind === 'StatefulSet');
  return { objects, statefulSet: statefulSet.parse(found) };
}

/** What a file of a ConfigMap holds. Throws where there is none. */
export function fileIn({ objects }: Manifest, name: string, file: string): string {
  const found = objects.find((one) => one.kind === 'ConfigMap' && one.metadata.name === name);
  const text = configMap.parse(found).data[file];
  if (text === undefined) throw new Error(`There is no ${file} in the ConfigMap ${name}.`);
  return text;
}

/** The one container of a name, wherever in the pod. Throws where there is none. */
export function containerOf({ statefulSet }: Manifest, name: string): KubernetesContainer {
  const { initContainers, containers } = statefulSet.spec.template.spec;
  const found = [...initContainers, ...containers].find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no container ${name}.`);
  return found;
}
