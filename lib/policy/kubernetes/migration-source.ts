// Judges what another tool still does for a Secret that is to be taken over, and which of its objects can go.

/** A Secret of another tool, as it was read. Never logged. */
export interface FoundSecret {
  readonly type: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Base64, as the API has it. */
  readonly data: Readonly<Record<string, string>>;
}

/** What other tools keep certificates by, in one namespace. */
export interface ToolObjects {
  readonly namespace: string;
  /** cert-manager's Certificates with the Secret that each fills; absent: the cluster does not know them. */
  readonly certificates?: readonly { readonly name: string; readonly secret: string }[] | undefined;
  /** Names of cert-manager's Issuers. */
  readonly issuers: readonly string[];
  readonly ingresses: readonly ToolIngress[];
  readonly workloads: readonly ToolWorkload[];
}

/** An Ingress, as far as tools work by it. */
export interface ToolIngress {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of the Secrets that it is served with. */
  readonly secrets: readonly string[];
  /** Services that it sends HTTP-01 challenges to; empty: none. */
  readonly challengeServices: readonly string[];
}

/** A workload, by what it runs. */
export interface ToolWorkload {
  readonly kind: 'Deployment' | 'ReplicationController' | 'CronJob';
  readonly name: string;
  readonly images: readonly string[];
  /** Names of environment variables. */
  readonly variables: readonly string[];
  readonly configMaps: readonly string[];
}

/** What the old tool is to the Secret. */
export interface MigrationSource {
  readonly tool: 'cert-manager' | 'kube-lego' | 'ployst' | 'unknown';
  /** Why the Secret would be overwritten by the tool again, in a sentence; absent: it would not. */
  readonly stillManaged?: string;
  /** What it manages beside the Secret: not to be taken away from it yet. */
  readonly stillManages: readonly string[];
  /** Objects and parts of them that nothing needs once the Secret is taken over. */
  readonly canGo: readonly string[];
}

const issuerAnnotations = ['cert-manager.io/issuer', 'cert-manager.io/cluster-issuer'];
const legoAnnotation = 'kubernetes.io/tls-acme';

/** Who filled the Secret, and what is left of it in the namespaces that were looked into; the first is the Secret's own. */
export function judgeMigrationSource(
  secret: string,
  found: FoundSecret,
  spaces: readonly [ToolObjects, ...ToolObjects[]],
): MigrationSource {
  const [own] = spaces;
  const { namespace, certificates } = own;
  const mine = (certificates ?? []).filter((one) => one.secret === secret);
  const others = (certificates ?? []).filter((one) => one.secret !== secret);
  const asking = own.ingresses.flatMap(({ name, annotations, secrets }) =>
    [...issuerAnnotations, legoAnnotation]
      .filter((annotation) => annotations[annotation] !== undefined)
      .map((annotation) => ({ name, annotation, isMine: secrets.includes(secret), secrets })),
  );
  const remakers = certificates
    ? asking.filter(({ isMine, annotation }) => isMine && annotation !== legoAnnotation)
    : [];
  const owners = [
    ...mine.map(({ name }) => `Certificate ${namespace}/${name}`),
    ...remakers.map(({ name, annotation }) => `Ingress ${namespace}/${name} (annotation ${annotation})`),
  ];
  const stillManages = [
    ...others.map((one) => `Secret ${namespace}/${one.secret}, by Certificate ${namespace}/${one.name}`),
    ...asking
      .filter(({ isMine, secrets }) => !isMine && secrets.length > 0)
      .map(({ name, annotation, secrets }) => {
        const list = secrets.map((one) => `${namespace}/${one}`).join(', ');
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
  const runsPloyst = spaces.some(({ workloads }) => workloads.some((one) => toolOf(one) === 'ployst'));
  return isPloyst || runsPloyst ? 'ployst' : 'unknown';
}

/** DNS-01 needs no way to a web server. */
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
        `the variables CERT_SERVICE… of ${kind} ${namespace}/${name}, by which it sends /.well-known/acme-challenge on: this route can be deleted`,
    );
  return [...routes, ...proxies];
}

function describeWorkloads({ namespace, workloads }: ToolObjects, isNeeded: boolean): readonly string[] {
  return workloads.flatMap((workload) => {
    const tool = toolOf(workload);
    if (tool === undefined) return [];
    const { kind, name, configMaps } = workload;
    const maps = configMaps.map((map) => `ConfigMap ${namespace}/${map}`);
    const when = isNeeded ? ' (once nothing else is managed by it)' : '';
    return [
      `${[`${kind} ${namespace}/${name}`, ...maps].join(' with ')}, which is ${tool}${when}`,
      ...(tool === 'kube-lego' ? [describeAccount(namespace, workload, when)] : []),
    ];
  });
}

/** `kube-lego-account`, where kube-lego is not told otherwise. */
function describeAccount(namespace: string, { kind, name, variables }: ToolWorkload, when: string): string {
  const secret = variables.includes('LEGO_SECRET_NAME')
    ? `the Secret that LEGO_SECRET_NAME of ${kind} ${namespace}/${name} names`
    : `Secret ${namespace}/kube-lego-account`;
  return `${secret}, its account: import it first if the CA is to see the same customer${when}`;
}

function toolOf({ images }: ToolWorkload): 'kube-lego' | 'ployst' | undefined {
  if (images.some((image) => /(^|\/)kube-lego(:|@|$)/.test(image))) return 'kube-lego';
  if (images.some((image) => /(^|\/)ployst\/letsencrypt(:|@|$)/.test(image))) return 'ployst';
  return undefined;
}
