// The whole sandbox: a CA, Route 53 with DNS, Secrets Manager, queues, a cluster, and the production bundles
// as Lambda functions between them. Everything listens on 127.0.0.1 and is gone with the process.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { stringify } from 'yaml';
import { buildIfChanged } from '../../infra/build/fresh-build.ts';
import type { EksSpec } from '../../lib/certificate/cluster-spec.ts';
import { buttonFunctions } from '../../lib/settings/functions.ts';
import { findBuilt } from '../built.ts';
import { functionNames } from '../function-names.ts';
import { readSandboxRoles } from '../infra/sandbox-roles.ts';
import { type SandboxAcm, startAcm } from './acm/server.ts';
import { type Authority, startAuthority } from './acme/authority.ts';
import { type SandboxDns, startDns } from './dns/server.ts';
import { startEksClusters } from './eks/clusters.ts';
import { type SandboxEventBridge, startEventBridge } from './eventbridge/server.ts';
import { createEventBus, type Rule } from './events.ts';
import { Faults } from './faults.ts';
import { signFolder } from './folder.ts';
import { startHttpApi } from './http-api.ts';
import { type Access, createAccess } from './iam/access.ts';
import type { Statement } from './iam/evaluation.ts';
import { Journal } from './journal.ts';
import type { AreReady } from './kubernetes/rollouts.ts';
import { type SandboxKubernetes, startKubernetes } from './kubernetes/server.ts';
import { type Lambda, type LogLine, startLambda } from './lambda/server.ts';
import { startLogs } from './logs/server.ts';
import { type Receivers, startReceivers } from './notices/receivers.ts';
import { accessKeyOf } from './principal.ts';
import { type SandboxRoute53, startRoute53 } from './route53/server.ts';
import { type SecretsManager, startSecretsManager } from './secrets-manager/server.ts';
import { type Sns, startSns } from './sns/server.ts';
import { Queue } from './sqs/queue.ts';
import { type Sqs, startSqs } from './sqs/server.ts';
import { startSts } from './sts/server.ts';
import { ownAccount, type RoleSpec, Sessions } from './sts/sessions.ts';

/** The checkout. */
export const root = join(import.meta.dirname, '../..');
export const prefix = 'certrelay';
export const clusterName = 'lab';

export interface SandboxOptions {
  /** Hosted zones; `example.com` where absent. */
  readonly zones?: readonly string[];
  /** `certificates` of the inventory, as in its YAML. */
  readonly certificates?: readonly object[];
  /** `registration` of the inventory. */
  readonly registration?: object;
  /** `discovery` of the inventory. */
  readonly discovery?: object;
  /** The roles may write records that stay, although no issuer of the inventory has any yet. */
  readonly lastingRecords?: boolean;
  /** More fields of the inventory's only issuer. */
  readonly issuer?: object;
  /** `dns` of the inventory. */
  readonly dns?: object;
  /** Roles of other AWS accounts. */
  readonly roles?: readonly RoleSpec[];
  /** More clusters of the inventory, of EKS; with the same namespaces. */
  readonly eks?: Readonly<Record<string, EksSpec>>;
  /** Namespaces of the cluster. */
  readonly namespaces?: readonly string[];
  /** Objects that are in the cluster from the start, YAML. */
  readonly manifests?: string;
  /** A real CA instead of the sandbox's own; it must ask the sandbox's DNS, on this port. */
  readonly realAuthority?: { readonly directory: string; readonly caFile: string };
  readonly dnsPort?: number;
  /** Kubeconfig of a real cluster instead of the sandbox's own. */
  readonly realKubeconfig?: string;
  /** Clusters of the inventory that only agents reach, `edge` and `depot` if not given; there is none behind
   *  a name unless somebody runs an agent. */
  readonly agentClusters?: readonly string[];
  /** Which pods of the cluster become ready; all if not given. */
  readonly areReady?: AreReady;
  /** Folder of the sandbox's files, which its owner keeps; a new one, gone with the sandbox, if not given. */
  readonly folder?: string;
  /** Whether agents may list AWS secrets, as `ListsRegistered` of infra/agent-role.yaml says. */
  readonly agentsList?: boolean;
  /** `notifications` of the inventory, for the receivers; what has a URL there gets that of its receiver.
   *  With it there is a topic of alarms. */
  readonly notifications?: readonly Readonly<Record<string, unknown>>[];
  /** `kmsKey` of the inventory. */
  readonly kmsKey?: string;
  /** Bus that deliveries are told to. */
  readonly eventBus?: string;
  /** What functions are told of how often the schedule calls `issue`; nothing where absent. */
  readonly issueIntervalMinutes?: number;
  /** Seconds a function may take. */
  readonly timeoutSeconds?: number;
  readonly onLine?: ((line: LogLine) => void) | undefined;
}

export interface Sandbox {
  readonly journal: Journal;
  /** What IAM lets each function and agent do, by its name; may be exchanged while it runs. */
  readonly policies: Map<string, readonly Statement[]>;
  readonly faults: Faults;
  readonly dns: SandboxDns;
  readonly route53: SandboxRoute53;
  readonly secretsManager: SecretsManager;
  readonly acm: SandboxAcm;
  readonly eventBridge: SandboxEventBridge;
  readonly sqs: Sqs;
  readonly queues: { readonly issue: Queue; readonly deploy: Queue; readonly notify: Queue };
  readonly sns: Sns;
  /** Slack and its like. */
  readonly receivers: Receivers;
  readonly lambda: Lambda;
  /** URL of the HTTP API. */
  readonly httpApi: string;
  /** The sandbox's own parts; with real ones in their place, these only stand by. */
  readonly authority: Authority;
  readonly kubernetes: SandboxKubernetes;
  /** Those of EKS, in the order in which they were asked for. */
  readonly eksClusters: readonly SandboxKubernetes[];
  /** Every event that a queue gave to a function, as JSON. */
  readonly events: readonly string[];
  readonly inventoryPath: string;
  /** Folder of the production bundles, one folder a function. */
  readonly bundles: string;
  /** Signing secret of the webhook, `whsec_…`. */
  readonly webhookSecret: string;
  /** What a function called by hand needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Exchanges the inventory's certificates; functions read it at their next call. */
  setCertificates(certificates: readonly object[]): Promise<void>;
  /** Makes AWS secrets as the operator would, texts by name. */
  keepSecrets(secrets: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

/** What the bundles are built with. */
const packagedInventory = join(import.meta.dirname, 'packaged.yaml');

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const folder = options.folder ?? (await makeFolder());
  // A test run builds once; everybody else has what `serverless invoke local` runs.
  const built = await findBuilt('bundles');
  const bundles = built ?? join(root, 'dist');
  const inventory = { file: packagedInventory, isReadAtRunTime: true };
  if (built === undefined) await buildIfChanged(root, bundles, inventory);
  const sessions = new Sessions(options.roles);
  // Nobody calls before its policies are known: they need the inventory, and that the CA's address.
  const policies = new Map<string, readonly Statement[]>();
  const access: Access = createAccess(policies, sessions);
  const surroundings = { journal: new Journal(), faults: new Faults(), access };
  const dns = await startDns(surroundings, options.dnsPort);
  const sts = await startSts(sessions, surroundings);
  const route53 = await startRoute53({ dns, sessions }, surroundings);
  for (const zone of options.zones ?? ['example.com']) route53.createZone(zone);
  const authority = await startAuthority({ resolve: { servers: [dns.address] } }, surroundings);
  const { namespaces = [] } = options;
  const bindings = await bindRoles(namespaces);
  const manifests = [bindings, ...(options.manifests ? [options.manifests] : [])].join('\n---\n');
  const { areReady, agentClusters = ['edge', 'depot'] } = options;
  const cluster = { name: clusterName, namespaces, manifests, areReady };
  const kubernetes = await startKubernetes(cluster, surroundings);

  const eks = await startEksClusters(
    options.eks ?? {},
    sessions,
    { namespaces, manifests: bindings },
    surroundings,
  );

  const queues = makeQueues();
  const onLabel = createEventBus([certificateStored(queues.deploy)], surroundings.journal);
  const secretsManager = await startSecretsManager({ ...surroundings, onLabel });
  const acm = await startAcm(surroundings);
  const { eventBus = '' } = options;
  const eventBridge = await startEventBridge({ ...surroundings, buses: [eventBus] });
  const sqs = await startSqs({ ...surroundings, queues: Object.values(queues) });
  const sns = await startSns([alarmTopic], surroundings);
  const receivers = await startReceivers(surroundings);
  const receiversCa = join(folder, 'receivers.pem');
  await writeFile(receiversCa, receivers.ca);

  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.caPem);
  const inventoryPath = join(folder, 'certificates.yaml');
  const setCertificates = async (certificates: readonly object[]): Promise<void> => {
    const { realAuthority } = options;
    const issuer = {
      directory: realAuthority?.directory ?? authority.directory,
      caBundle: { file: realAuthority?.caFile ?? caFile },
      agreeToTerms: true,
      ...options.issuer,
    };
    const lab = { kubeconfig: { secret: `${prefix}/clusters/${clusterName}` } };
    const ofEks = Object.entries(options.eks ?? {}).map(([name, spec]) => [name, { eks: spec }]);
    const clusters = {
      [clusterName]: lab,
      ...Object.fromEntries(agentClusters.map((name) => [name, { agent: true }])),
      ...Object.fromEntries(ofEks),
    };
    const { registration, discovery, dns: dnsPart, kmsKey } = options;
    const notifications = options.notifications?.map((channel) => aimAt(receivers, channel));
    const parts = { certificates, registration, discovery, dns: dnsPart, notifications, kmsKey };
    const inventory = { issuers: { default: issuer }, clusters, ...parts };
    await writeFile(inventoryPath, stringify(inventory));
  };
  await setCertificates(options.certificates ?? []);
  const arns = {
    IssueQueue: queues.issue.arn,
    DeployQueue: queues.deploy.arn,
    NotifyQueue: queues.notify.arn,
  };
  const topic = options.notifications === undefined ? '' : alarmTopic;
  const parameters = { EventBus: eventBus, AlarmTopic: topic };
  const account = { region: 'eu-central-1', account: ownAccount, arns, parameters };
  const agents = { clusters: agentClusters, list: options.agentsList ?? false };
  const roles = await readSandboxRoles(account, inventoryPath, agents, options.lastingRecords);
  for (const [name, statements] of roles) policies.set(name, statements);

  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_ACM: acm.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: eventBridge.url,
    AWS_ENDPOINT_URL_ROUTE_53: route53.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    AWS_ENDPOINT_URL_SNS: sns.url,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_STS: sts.url,
    AWS_ENDPOINT_URL_EKS: eks.url,
    CERTRELAY_INVENTORY: inventoryPath,
    CERTRELAY_PREFIX: prefix,
    CERTRELAY_RESOLVERS: dns.address,
    CERTRELAY_ISSUE_QUEUE_URL: sqs.urlOf(queues.issue),
    CERTRELAY_DEPLOY_QUEUE_URL: sqs.urlOf(queues.deploy),
    CERTRELAY_NOTIFY_QUEUE_URL: sqs.urlOf(queues.notify),
    CERTRELAY_ALARM_TOPIC: topic,
    CERTRELAY_EVENT_BUS: eventBus,
    ...buttonEnvironment(),
    // An empty variable is what a template leaves behind for "not set".
    CERTRELAY_ISSUE_INTERVAL_MINUTES: String(options.issueIntervalMinutes ?? ''),
    LOG_LEVEL: 'info',
  };
  const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;
  await keepSecrets(secretsManager.url, {
    [`${prefix}/webhook`]: webhookSecret,
    [`${prefix}/clusters/${clusterName}`]: options.realKubeconfig ?? kubernetes.kubeconfig('certrelay'),
  });

  const timeoutSeconds = options.timeoutSeconds ?? 120;
  const lambda = await startLambda({
    ...surroundings,
    onLine: options.onLine,
    functions: Object.fromEntries(
      functionNames.map((name) => [
        name,
        {
          bundle: join(bundles, name, 'index.js'),
          environment: name === 'notify' ? { ...environment, NODE_EXTRA_CA_CERTS: receiversCa } : environment,
          timeoutSeconds,
          memoryMb: 512,
        },
      ]),
    ),
  });
  const logs = await startLogs({ ...surroundings, functions: functionNames, lines: lambda.logs });
  const events: string[] = [];
  for (const name of ['issue', 'deploy', 'notify'] as const) {
    const invoke = (event: unknown) => {
      events.push(JSON.stringify(event));
      return lambda.call(name, event);
    };
    sqs.subscribe(queues[name], invoke, { principal: name, reportBatchItemFailures: true });
  }
  const httpApi = await startHttpApi({
    ...surroundings,
    routes: { 'ANY /domains': 'register', 'ANY /domains/{name}': 'register' },
    call: (name, event) => lambda.call(name, event),
  });

  return {
    ...surroundings,
    policies,
    dns,
    route53,
    secretsManager,
    acm,
    eventBridge,
    sqs,
    queues,
    sns,
    receivers,
    lambda,
    httpApi: httpApi.url,
    authority,
    kubernetes,
    eksClusters: eks.clusters,
    events,
    inventoryPath,
    bundles,
    webhookSecret,
    environment: {
      ...environment,
      AWS_ENDPOINT_URL_LAMBDA: lambda.url,
      CERTRELAY_WEBHOOK_URL: `${httpApi.url}/domains`,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logs.url,
      ...credentialsOf('operator'),
    },
    setCertificates,
    keepSecrets: (secrets) => keepSecrets(secretsManager.url, secrets),
    async stop() {
      await httpApi.stop();
      // Nobody waits for what a function is still at: a message may have begun a run that hangs.
      const drained = sqs.stop();
      await lambda.stop();
      await drained;
      const aws = [secretsManager, acm, eventBridge, eks, route53, sts, sns, logs];
      const parts = [...aws, kubernetes, authority, receivers, dns];
      await Promise.all(parts.map((part) => part.stop()));
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

const alarmTopic = `arn:aws:sns:eu-central-1:${ownAccount}:alarms`;

/** The functions that buttons of the dashboard call. */
function buttonEnvironment(): Readonly<Record<string, string>> {
  const variables = buttonFunctions.map((name) => [
    `CERTRELAY_${name.toUpperCase()}_FUNCTION`,
    `arn:aws:lambda:eu-central-1:${ownAccount}:function:${name}`,
  ]);
  return Object.fromEntries(variables);
}

/** A channel with the URL of its receiver in place of its own. */
function aimAt(receivers: Receivers, channel: Readonly<Record<string, unknown>>): object {
  const { webhook, pagerduty } = channel;
  return {
    ...channel,
    ...(webhook === undefined ? {} : { webhook: { ...Object(webhook), url: receivers.urls.webhook } }),
    ...(pagerduty === undefined
      ? {}
      : { pagerduty: { ...Object(pagerduty), url: receivers.urls.pagerduty } }),
  };
}

/** A folder of a sandbox that nobody starts twice. What a crash leaves behind says whose it was. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-sandbox-'));
  await signFolder(folder, { process: process.pid, checkout: root, startedAt: new Date().toISOString() });
  return folder;
}

/** infra/rbac.yaml as it says to use it: its role bound in each namespace, and those for discover and
 *  import. */
export async function bindRoles(namespaces: readonly string[]): Promise<string> {
  const roles = await readFile(join(root, 'infra/rbac.yaml'), 'utf8');
  const apiGroup = 'rbac.authorization.k8s.io';
  const bindings = namespaces.flatMap((namespace) =>
    ['certrelay', 'certrelay-discover', 'certrelay-import'].map((name) => ({
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: [{ apiGroup, kind: 'User', name: 'certrelay' }],
    })),
  );
  return [roles, ...bindings.map((binding) => stringify(binding))].join('\n---\n');
}

/** The rule of infra/template/queues.yml. */
function certificateStored(queue: Queue): Rule {
  const detail = { labelUpdated: ['AWSCURRENT'], name: [{ prefix: `${prefix}/certificates/` }] };
  return {
    queue,
    pattern: { source: ['aws.secretsmanager'], 'detail-type': ['Secret Label Updated'], detail },
  };
}

/** As serverless.yml has them, but for waits that nobody here would sit through. */
function makeQueues() {
  const queue = (name: string) => {
    const deadLetters = new Queue(`${name}-dead-letters`);
    return new Queue(name, { visibilityTimeoutMs: 60_000, redrive: { deadLetters, maxReceiveCount: 3 } });
  };
  return { issue: queue('issue'), deploy: queue('deploy'), notify: queue('notify') };
}

export function credentialsOf(principal: string): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyOf(principal),
    AWS_SECRET_ACCESS_KEY: 'sandbox',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** What the operator keeps in AWS before anything runs. */
async function keepSecrets(endpoint: string, secrets: Readonly<Record<string, string>>): Promise<void> {
  const credentials = { accessKeyId: accessKeyOf('operator'), secretAccessKey: 'sandbox' };
  const client = new SecretsManagerClient({ endpoint, region: 'eu-central-1', credentials });
  for (const [Name, SecretString] of Object.entries(secrets)) {
    await client.send(new CreateSecretCommand({ Name, SecretString }));
  }
  client.destroy();
}
