// Decides which tool filled a Secret that is migrated, what that tool still manages, and what can be deleted.

/** The Secret to migrate, as it was read. Never logged. */
export interface FoundSecret {
  readonly type: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Base64, as the API has it. */
  readonly data: Readonly<Record<string, string>>;
}

/** Objects in one namespace that belong to another certificate tool, or that it works on. */
export interface ToolObjects {
  readonly namespace: string;
  /** cert-manager's Certificates, each with the Secret that it fills; absent if the cluster has no such
   *  resource. */
  readonly certificates?: readonly { readonly name: string; readonly secret: string }[] | undefined;
  /** Names of cert-manager's Issuers. */
  readonly issuers: readonly string[];
  readonly ingresses: readonly ToolIngress[];
  readonly workloads: readonly ToolWorkload[];
}

/** An Ingress: the parts that certificate tools use. */
export interface ToolIngress {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of its TLS Secrets. */
  readonly secrets: readonly string[];
  /** Services to which it routes HTTP-01 challenges. */
  readonly challengeServices: readonly string[];
}

/** A workload: the parts that show which tool it runs. */
export interface ToolWorkload {
  readonly kind: 'Deployment' | 'ReplicationController' | 'CronJob';
  readonly name: string;
  readonly images: readonly string[];
  /** Names of its environment variables. */
  readonly variables: readonly string[];
  /** Names of the ConfigMaps that it uses. */
  readonly configMaps: readonly string[];
}

/** Which tool the Secret comes from, and what to do with it. */
export interface MigrationSource {
  readonly tool: 'cert-manager' | 'kube-lego' | 'ployst' | 'unknown';
  /** Why the tool would overwrite the Secret again, as a sentence; absent if it would not. */
  readonly stillManaged?: string;
  /** Other Secrets that the tool manages, each with the object that makes it do so. Keep the tool while
   *  there are any. */
  readonly stillManages: readonly string[];
  /** Objects, annotations and routes that can be deleted once Certrelay manages the Secret. */
  readonly canGo: readonly string[];
}

const issuerAnnotations = ['cert-manager.io/issuer', 'cert-manager.io/cluster-issuer'];
const legoAnnotation = 'kubernetes.io/tls-acme';

/** Judges the Secret's tool from the Secret and the objects in some namespaces.
 *  @param secret Name of the Secret.
 *  @param spaces The namespaces that were read; the first is the Secret's own. */
export function judgeMigrationSource(
  secret: string,
  found: FoundSecret,
  spaces: readonly [ToolObjects, ...ToolObjects[]],
): MigrationSource {
  const [own] = spaces;
  const { namespace, certificates } = own;
  const mine = (certificates ?? []).filter((certificate) => certificate.secret === secret);
  const others = (certificates ?? []).filter((certificate) => certificate.secret !== secret);
  const asking = own.ingresses.flatMap(({ name, annotations, secrets }) =>
    [...issuerAnnotations, legoAnnotation]
      .filter((annotation) => annotations[annotation] !== undefined)
      .map((annotation) => ({ name, annotation, isMine: secrets.includes(secret), secrets })),
  );
  const recreating = certificates
    ? asking.filter(({ isMine, annotation }) => isMine && annotation !== legoAnnotation)
    : [];
  const owners = [
    ...mine.map(({ name }) => `Certificate ${namespace}/${name}`),
    ...recreating.map(({ name, annotation }) => `Ingress ${namespace}/${name} (annotation ${annotation})`),
  ];
  const stillManages = [
    ...others.map(
      (other) => `Secret ${namespace}/${other.secret}, by Certificate ${namespace}/${other.name}`,
    ),
    ...asking
      .filter(({ isMine, secrets }) => !isMine && secrets.length > 0)
      .map(({ name, annotation, secrets }) => {
        const list = secrets.map((used) => `${namespace}/${used}`).join(', ');
        return `Secret ${list}, by annotation ${annotation} of Ingress ${namespace}/${name}`;
      }),
  ];
  return {
    tool: nameTool(found, spaces),
    ...(owners.length > 0
      ? {
          stillManaged: `cert-manager fills Secret ${namespace}/${secret}, because of ${owners.join(' and ')}`,
        }
      : {}),
    stillManages,
    canGo: [
      ...asking
        .filter(({ isMine }) => isMine)
        .map(({ name, annotation }) => `annotation ${annotation} of Ingress ${namespace}/${name}`),
      ...mine.map(({ name }) => `Certificate ${namespace}/${name}`),
      ...(stillManages.length === 0 ? own.issuers.map((name) => `Issuer ${namespace}/${name}`) : []),
      ...spaces.flatMap(describeRoutes),
      ...spaces.flatMap((space) => describeWorkloads(space, stillManages.length > 0)),
    ],
  };
}

function nameTool(
  { annotations, data }: FoundSecret,
  spaces: readonly ToolObjects[],
): MigrationSource['tool'] {
  if (Object.keys(annotations).some((name) => name.startsWith('cert-manager.io/'))) return 'cert-manager';
  if (annotations[legoAnnotation] === 'true') return 'kube-lego';
  const isPloyst = data.proxycert !== undefined;
  const runsPloyst = spaces.some(({ workloads }) =>
    workloads.some((workload) => toolOf(workload) === 'ployst'),
  );
  return isPloyst || runsPloyst ? 'ployst' : 'unknown';
}

/** Routes for HTTP-01 challenges; Certrelay uses DNS-01 and needs none. */
function describeRoutes({ namespace, ingresses, workloads }: ToolObjects): readonly string[] {
  const routes = ingresses.flatMap(({ name, challengeServices }) =>
    challengeServices.map(
      (service) =>
        `the route /.well-known/acme-challenge of Ingress ${namespace}/${name}, and Service ${namespace}/${service} behind it: this route can be deleted`,
    ),
  );
  const proxies = workloads
    .filter(({ variables }) => variables.some((name) => name.startsWith('CERT_SERVICE')))
    .map(
      ({ kind, name }) =>
        `the variables CERT_SERVICE… of ${kind} ${namespace}/${name}, by which it forwards /.well-known/acme-challenge: this route can be deleted`,
    );
  return [...routes, ...proxies];
}

function describeWorkloads({ namespace, workloads }: ToolObjects, isNeeded: boolean): readonly string[] {
  return workloads.flatMap((workload) => {
    const tool = toolOf(workload);
    if (tool === undefined) return [];
    const { kind, name, configMaps } = workload;
    const maps = configMaps.map((map) => `ConfigMap ${namespace}/${map}`);
    const when = isNeeded ? ' (once it manages nothing else)' : '';
    return [
      `${[`${kind} ${namespace}/${name}`, ...maps].join(' with ')}, which is ${tool}${when}`,
      ...(tool === 'kube-lego' ? [describeAccount(namespace, workload, when)] : []),
    ];
  });
}

/** The Secret of kube-lego's account: `kube-lego-account`, unless LEGO_SECRET_NAME names another. */
function describeAccount(namespace: string, { kind, name, variables }: ToolWorkload, when: string): string {
  const secret = variables.includes('LEGO_SECRET_NAME')
    ? `the Secret that LEGO_SECRET_NAME of ${kind} ${namespace}/${name} names`
    : `Secret ${namespace}/kube-lego-account`;
  return `${secret}, its account: import it first to keep the same account at the CA${when}`;
}

function toolOf({ images }: ToolWorkload): 'kube-lego' | 'ployst' | undefined {
  if (images.some((image) => /(^|\/)kube-lego(:|@|$)/.test(image))) return 'kube-lego';
  if (images.some((image) => /(^|\/)ployst\/letsencrypt(:|@|$)/.test(image))) return 'ployst';
  return undefined;
}
