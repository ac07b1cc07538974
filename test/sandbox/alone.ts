// One part of the sandbox without the others, with the environment that clients of it need.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAcm } from './acm/server.ts';
import { startAuthority } from './acme/authority.ts';
import { startDns } from './dns/server.ts';
import { startEventBridge } from './eventbridge/server.ts';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { startKubernetes } from './kubernetes/server.ts';
import { accessKeyOf, ownSecretKey } from './principal.ts';
import { startRoute53 } from './route53/server.ts';
import { startSecretsManager } from './secrets-manager/server.ts';
import { Queue } from './sqs/queue.ts';
import { startSqs } from './sqs/server.ts';
import { startSts } from './sts/server.ts';
import { Sessions } from './sts/sessions.ts';

/** A part that runs. */
export interface Alone {
  readonly environment: Readonly<Record<string, string>>;
  readonly journal: Journal;
  readonly faults: Faults;
  stop(): Promise<void>;
}

type Start = (surroundings: {
  readonly journal: Journal;
  readonly faults: Faults;
}) => Promise<Pick<Alone, 'environment' | 'stop'>>;

const aws = {
  AWS_REGION: 'eu-central-1',
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: accessKeyOf('operator'),
  AWS_SECRET_ACCESS_KEY: ownSecretKey,
};

async function keepText(name: string, text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'certrelay-part-')), name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const starts: Readonly<Record<string, Start>> = {
  async acm(surroundings) {
    const acm = await startAcm(surroundings);
    return { environment: { ...aws, AWS_ENDPOINT_URL_ACM: acm.url }, stop: () => acm.stop() };
  },
  async acme(surroundings) {
    const { dns, environment, stop } = await startZones(surroundings);
    const authority = await startAuthority({ resolve: { servers: [dns] } }, surroundings);
    const caFile = await keepText('ca.pem', authority.caPem);
    return {
      environment: { ...environment, ACME_DIRECTORY: authority.directory, ACME_CA_FILE: caFile },
      stop: async () => void (await Promise.all([authority.stop(), stop()])),
    };
  },
  async eventbridge(surroundings) {
    const bus = await startEventBridge({ ...surroundings, buses: ['default'] });
    return { environment: { ...aws, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url }, stop: () => bus.stop() };
  },
  async kubernetes(surroundings) {
    const cluster = await startKubernetes({ namespaces: ['shop'] }, surroundings);
    const environment = { KUBECONFIG: await keepText('kubeconfig', cluster.kubeconfig('admin')) };
    return { environment, stop: () => cluster.stop() };
  },
  route53: startZones,
  async 'secrets-manager'(surroundings) {
    const secrets = await startSecretsManager(surroundings);
    const environment = { ...aws, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url };
    return { environment, stop: () => secrets.stop() };
  },
  async sqs(surroundings) {
    const queue = new Queue('queue');
    const sqs = await startSqs({ ...surroundings, queues: [queue] });
    const environment = { ...aws, AWS_ENDPOINT_URL_SQS: sqs.url, QUEUE_URL: sqs.urlOf(queue) };
    return { environment, stop: () => sqs.stop() };
  },
  async sts(surroundings) {
    const sts = await startSts(new Sessions(), surroundings);
    return { environment: { ...aws, AWS_ENDPOINT_URL_STS: sts.url }, stop: () => sts.stop() };
  },
};

/** Route 53 with the public zone `example.com`, and the DNS that answers for it. */
async function startZones(surroundings: Parameters<Start>[0]) {
  const dns = await startDns(surroundings);
  const route53 = await startRoute53({ dns }, surroundings);
  route53.createZone('example.com');
  const environment = { ...aws, AWS_ENDPOINT_URL_ROUTE_53: route53.url, CERTRELAY_RESOLVERS: dns.address };
  return {
    dns: dns.address,
    environment,
    stop: async () => void (await Promise.all([route53.stop(), dns.stop()])),
  };
}

/** Names that {@link startAlone} takes, in alphabetical order. */
export const partNames: readonly string[] = Object.keys(starts);

/** Starts one part on free ports of 127.0.0.1, without IAM: whoever signs may do everything.
 *  @throws Error for another name; it lists the names. */
export async function startAlone(name: string): Promise<Alone> {
  const start = starts[name];
  if (!start) throw new Error(`"${name}" is no part of the sandbox; use one of ${partNames.join(', ')}`);
  const surroundings = { journal: new Journal(), faults: new Faults() };
  return { ...surroundings, ...(await start(surroundings)) };
}
