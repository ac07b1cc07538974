// An installation as the version before this changelog left it (yesterday.json, recorded from that version's
// functions in a sandbox), put into a sandbox of today. Keys and certificates are minted, since none may be
// kept here; times are told from an instant twenty days ago, or from now where a pass would otherwise have
// come in between; all else is as it was written.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { earlierKeystoreRounds, writeKeystore } from '../../lib/certificate/pkcs12.ts';
import { serveTls } from '../fakes/tls-server.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { createFill, type Fill, mintPairs, type Pairs, recordedCertificates } from './filling.ts';

const dayMs = 86_400_000;
const texts = z.record(z.string(), z.string());

const recorded = z.object({
  inventory: z.looseObject({}),
  certificates: recordedCertificates,
  secrets: z.array(
    z.object({
      name: z.string(),
      tags: texts,
      versions: z.array(z.object({ id: z.string(), labels: z.array(z.string()), value: z.string() })),
    }),
  ),
  lab: z.array(z.looseObject({ kind: z.string(), data: texts.optional() })),
  prod: z.array(z.looseObject({ kind: z.string(), data: texts.optional() })),
  acm: z.array(
    z.object({
      arn: z.string(),
      region: z.string(),
      type: z.literal('IMPORTED'),
      tags: texts,
      leaf: z.string(),
      chain: z.string(),
      key: z.string(),
    }),
  ),
  txt: z.array(
    z.object({ name: z.string(), type: z.string(), ttl: z.number(), values: z.array(z.string()) }),
  ),
  /** Bodies of messages. */
  queues: z.object({ issue: z.array(z.string()), deploy: z.array(z.string()) }),
});
type Recorded = z.infer<typeof recorded>;

export interface Installation {
  readonly sandbox: Sandbox;
  /** Messages that were in the queues, as each queue hands them to its function. */
  readonly messages: { readonly issue: object; readonly deploy: object };
  stop(): Promise<void>;
}

/** Starts it; nothing in it has run since. */
export async function startFormerInstallation(): Promise<Installation> {
  const text = await readFile(join(import.meta.dirname, 'yesterday.json'), 'utf8');
  const former = recorded.parse(JSON.parse(text));
  const sandbox = await startSandbox({
    agentsList: true,
    namespaces: ['shop', 'legacy', 'java', 'careful', 'edge', 'held', 'web'],
    manifests: ['certrelay-prune', 'certrelay-list'].map(bindInEdge).join('\n---\n'),
    eks: { prod: { name: 'prod', region: 'eu-west-1' } },
    eventBus: 'deliveries',
    zones: [],
  });
  const zero = new Date(Math.floor(Date.now() / 1000) * 1000 - 20 * dayMs);
  const pairs = await mintPairs(former.certificates, zero);
  const server = await serveTls(pairs.get('shop/1') ?? { chain: '', key: '' });
  if (!server) throw new Error('this machine has no 127.0.0.1');
  const ownInventory = parse(await readFile(sandbox.inventoryPath, 'utf8'));
  const fill = createFill(pairs, zero, {
    ca: new URL(sandbox.authority.directory).origin,
    caFile: ownInventory.issuers.default.caBundle.file,
    served: String(server.port),
  });
  await writeFile(sandbox.inventoryPath, stringify(fillAll(former.inventory, fill)));
  for (const secret of former.secrets) restoreSecret(secret, fill, sandbox);
  const clusters = [
    [sandbox.kubernetes, former.lab],
    [sandbox.eksClusters[0], former.prod],
  ] as const;
  for (const [cluster, objects] of clusters)
    for (const object of objects) cluster?.restore(fillObject(object, fill, pairs));
  await vi.waitFor(() => expect(countReady(sandbox)).toBe(podsOf(former.lab)), { timeout: 30_000 });
  for (const { tags, ...entry } of former.acm) {
    const material = { leaf: fill(entry.leaf), chain: fill(entry.chain), key: fill(entry.key) };
    const imported = { ...entry, ...material, tags: new Map(Object.entries(tags)), importedAt: zero };
    sandbox.acm.certificates.entries.push(imported);
  }
  const zone = sandbox.route53.createZone('example.com');
  for (const set of former.txt) zone.change([{ action: 'CREATE', set }], 0);
  return {
    sandbox,
    messages: { issue: toBatch(former.queues.issue, fill), deploy: toBatch(former.queues.deploy, fill) },
    async stop() {
      await sandbox.stop();
      await server.stop();
    },
  };
}

/** Pods of the lab that are ready. Controllers make them once somebody looks. */
function countReady({ kubernetes }: Sandbox): number {
  return kubernetes.owned('pods').filter(({ status }) => JSON.stringify(status).includes('"ready":true'))
    .length;
}

function podsOf(objects: Recorded['lab']): number {
  const replicas = objects.map(({ spec }) => Number(Object(spec).replicas ?? 0));
  return replicas.reduce((sum, one) => sum + one, 0);
}

function fillAll(value: unknown, fill: Fill): unknown {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((one) => fillAll(one, fill));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [fill(key), fillAll(part, fill)]));
}

function restoreSecret(
  { name, tags, versions }: Recorded['secrets'][number],
  fill: Fill,
  sandbox: Sandbox,
): void {
  const secret = sandbox.secretsManager.vault.make(fill(name));
  for (const { id, labels, value } of versions) {
    const text = value.startsWith('{"') ? JSON.stringify(fillAll(JSON.parse(value), fill)) : fill(value);
    secret.versions.set(id, { id, value: { text }, created: secret.created });
    for (const label of labels) secret.labels.set(label, id);
  }
  secret.setTags(Object.entries(tags).map(([key, value]) => [key, fill(value)]));
}

/** Data stands in the recording as text. */
function fillObject({ data, ...object }: Recorded['lab'][number], fill: Fill, pairs: Pairs): object {
  const filled = Object(fillAll(object, fill));
  if (!data) return filled;
  const bytesOf = (text: string): Buffer => {
    const [, id = ''] = /^\{\{keystore (.+)\}\}$/.exec(text) ?? [];
    const pair = pairs.get(id);
    return pair ? writeKeystore(pair, 'changeit', earlierKeystoreRounds) : Buffer.from(fill(text));
  };
  const encoded = Object.entries(data).map(([key, text]) => [key, bytesOf(text).toString('base64')]);
  return { ...filled, data: Object.fromEntries(encoded) };
}

/** As Lambda hands it to the function. */
function toBatch(bodies: readonly string[], fill: Fill): object {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `message-${index}`,
      receiptHandle: `receipt-${index}`,
      body: fill(body),
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: '0', SenderId: 'AIDASANDBOX' },
      messageAttributes: {},
      md5OfBody: createHash('md5').update(fill(body)).digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:certrelay',
      awsRegion: 'eu-central-1',
    })),
  };
}

function bindInEdge(name: string): string {
  const group = { apiGroup: 'rbac.authorization.k8s.io' };
  return JSON.stringify({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace: 'edge' },
    roleRef: { ...group, kind: 'ClusterRole', name },
    subjects: [{ ...group, kind: 'User', name: 'certrelay' }],
  });
}
