// Taking over the Secret of cert-manager, kube-lego or ployst's container, without an order.
import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { type MigrationRequest, migrateSecret } from '../../lib/import/migration.ts';
import type { FoundSecret, ToolObjects } from '../../lib/policy/kubernetes/migration-source.ts';
import { dayMs, Harness, specOf } from '../issue/harness.ts';
import { type MintedChain, mintChain } from '../minting/certificates.ts';

const from = { cluster: 'lab', namespace: 'shop', secret: 'shop-tls' };
const start = new Date('2026-11-22T09:00:00Z');
const never = new AbortController().signal;
const encode = (text: string) => Buffer.from(text).toString('base64');
let minted: MintedChain;

beforeAll(async () => {
  const notAfter = new Date(start.getTime() + 90 * dayMs);
  minted = await mintChain({ domains: ['shop.example.com'], notBefore: start, notAfter });
});

function secretOf(change: Partial<FoundSecret> = {}): FoundSecret {
  const data = { 'tls.crt': encode(minted.chain), 'tls.key': encode(minted.key) };
  return { type: 'kubernetes.io/tls', annotations: {}, data, ...change };
}

const empty: ToolObjects = { namespace: 'shop', issuers: [], ingresses: [], workloads: [] };

function take(
  harness: Harness,
  found: FoundSecret | undefined,
  spaces: readonly ToolObjects[] = [empty],
  change: Partial<MigrationRequest> = {},
) {
  const { store, clock, log, inventory } = harness;
  const keys = { generate: async () => minted.key };
  const connect = async () => ({
    listTlsObjects: async () => [],
    readFoundSecret: async () => found,
    listToolObjects: async (namespace: string) =>
      spaces.find((one) => one.namespace === namespace) ?? { ...empty, namespace },
    close: async () => undefined,
  });
  const deadline = new Date(clock.now().getTime() + 30_000);
  const run = { id: 'by-hand', inventory, deadline, signal: never, cleanUpSignal: never };
  return migrateSecret({ from, ...change }, { store, keys, connect, clock, log }, run);
}

const certManager: ToolObjects = {
  ...empty,
  certificates: [
    { name: 'shop', secret: 'shop-tls' },
    { name: 'blog', secret: 'blog-tls' },
  ],
  issuers: ['letsencrypt'],
  ingresses: [
    {
      name: 'web',
      annotations: { 'cert-manager.io/issuer': 'letsencrypt' },
      secrets: ['shop-tls'],
      challengeServices: [],
    },
  ],
};

describe('a Secret that nothing manages any more', () => {
  it('becomes a certificate with the names, key type and place that it has, and is not ordered', async () => {
    const harness = new Harness([]);
    const answer = await take(harness, secretOf());
    expect(answer).toMatchObject({
      outcome: 'imported',
      names: ['shop.example.com'],
      next: { decision: 'keep' },
    });
    expect((await harness.current(answer.certificate))?.spec).toMatchObject({
      source: 'import',
      domains: ['shop.example.com'],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [{ ...from, format: 'tls', restart: 'auto', adopt: true, replace: false }],
    });
    expect(await take(harness, secretOf())).toMatchObject({ outcome: 'unchanged' });
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ name: answer.certificate, decision: 'keep' }]);
  });

  it('a dry run says the same and keeps nothing', async () => {
    const harness = new Harness([]);
    const answer = await take(harness, secretOf(), [empty], { dryRun: true });
    expect(answer).toMatchObject({ outcome: 'planned', names: ['shop.example.com'] });
    expect(harness.store.kept.size).toBe(0);
  });

  it('is that of the inventory whose target it is, which must agree with its names', async () => {
    const target = {
      ...from,
      format: 'tls',
      restart: 'auto',
      restartStrategy: 'annotation',
      replace: false,
    } as const;
    const spec = (names: readonly string[], adopt: boolean): CertificateSpec => {
      return { ...specOf('shop', names), targets: [{ ...target, adopt }] };
    };
    const agreeing = new Harness([spec(['shop.example.com'], true)]);
    expect(await take(agreeing, secretOf())).toMatchObject({
      certificate: 'shop',
      outcome: 'imported',
      notes: [expect.stringContaining('nothing is delivered by the import alone')],
    });
    expect((await agreeing.current('shop'))?.spec).toBeUndefined();
    expect(await take(new Harness([spec(['shop.example.com'], false)]), secretOf())).toMatchObject({
      notes: [expect.stringMatching(/alone/), expect.stringContaining('add "adopt: true"')],
    });
    expect(await take(new Harness([spec(['other.example.com'], true)]), secretOf())).toMatchObject({
      outcome: 'refused',
      reason: 'NamesChanged',
    });
  });

  it('is frozen before it is stored, until somebody asks deploy to deliver it, and says how', async () => {
    const harness = new Harness([]);
    const { store } = harness;
    const atPut: unknown[] = [];
    const put = store.put.bind(store);
    store.put = (name, ...rest) => {
      atPut.push(store.kept.get(name)?.state.freeze);
      return put(name, ...rest);
    };
    const answer = await take(harness, secretOf());
    if (answer.outcome !== 'imported') throw new Error('it was not imported');
    expect(atPut).toMatchObject([{ version: answer.version, target: 'import' }]);
    const command = `npx certrelay resume ${answer.certificate}`;
    expect(answer.notes.join()).toContain(command);
    expect(await take(harness, secretOf())).toMatchObject({ outcome: 'unchanged', notes: answer.notes });
    await store.record(answer.certificate, { freeze: null });
    expect(await take(harness, secretOf())).toMatchObject({ outcome: 'unchanged', notes: [] });
  });

  it.each<[string, FoundSecret | undefined, Partial<MigrationRequest>, string]>([
    ['is not there', undefined, {}, 'Missing'],
    ['holds no certificate', { type: 'Opaque', annotations: {}, data: { a: 'YQ==' } }, {}, 'Unusable'],
  ])('that %s is refused', async (_, found, change, reason) => {
    const harness = new Harness([]);
    expect(await take(harness, found, [empty], change)).toMatchObject({ outcome: 'refused', reason });
    expect(harness.store.kept.size).toBe(0);
  });

  it('for an issuer that the inventory does not have is refused', async () => {
    expect(await take(new Harness([]), secretOf(), [empty], { issuer: 'typo' })).toMatchObject({
      reason: 'Unusable',
      message: expect.stringContaining('no issuer "typo"'),
    });
  });
});

describe('while cert-manager has the Secret', () => {
  const annotations = { 'cert-manager.io/certificate-name': 'shop' };

  it.each<[string, ToolObjects]>([
    ['a Certificate names it', { ...certManager, ingresses: [] }],
    ['an Ingress would have its Certificate made again', { ...certManager, certificates: [] }],
  ])('because %s, it is refused, with what must go first', async (_, objects) => {
    const harness = new Harness([]);
    const answer = await take(harness, secretOf({ annotations }), [objects]);
    expect(answer).toMatchObject({ outcome: 'refused', reason: 'StillManaged' });
    expect(harness.store.kept.size).toBe(0);
  });

  it('it is taken over where that is asked for, and the answer lists what stays with it and what can go', async () => {
    const answer = await take(new Harness([]), secretOf({ annotations }), [certManager], { takeOver: true });
    expect(answer).toMatchObject({
      outcome: 'imported',
      former: {
        tool: 'cert-manager',
        stillManages: ['Secret shop/blog-tls, by Certificate shop/blog'],
        canGo: ['annotation cert-manager.io/issuer of Ingress shop/web', 'Certificate shop/shop'],
      },
    });
  });

  it('its Issuers can go with the last Certificate', async () => {
    const last = { ...certManager, certificates: certManager.certificates?.slice(0, 1) };
    expect(await take(new Harness([]), secretOf(), [last], { takeOver: true })).toMatchObject({
      former: { stillManages: [], canGo: expect.arrayContaining(['Issuer shop/letsencrypt']) },
    });
  });

  it('the annotation that it left behind, with no object any more, keeps nobody from it', async () => {
    expect(await take(new Harness([]), secretOf({ annotations }))).toMatchObject({
      outcome: 'imported',
      former: { tool: 'cert-manager', canGo: [] },
    });
  });
});

it('kube-lego leaves an annotation, and in its own namespace a Deployment with a ConfigMap', async () => {
  const annotations = { 'kubernetes.io/tls-acme': 'true' };
  const ingress = { name: 'web', annotations, secrets: ['shop-tls'], challengeServices: [] };
  const lego: ToolObjects = {
    ...empty,
    namespace: 'kube-lego',
    ingresses: [
      { name: 'kube-lego-nginx', annotations: {}, secrets: [], challengeServices: ['kube-lego-nginx'] },
    ],
    workloads: [
      {
        kind: 'Deployment',
        name: 'kube-lego',
        images: ['jetstack/kube-lego:0.1.7'],
        variables: ['LEGO_EMAIL'],
        configMaps: ['kube-lego'],
      },
    ],
  };
  const spaces = [{ ...empty, ingresses: [ingress] }, lego];
  expect(
    await take(new Harness([]), secretOf({ annotations }), spaces, { toolNamespace: 'kube-lego' }),
  ).toMatchObject({
    outcome: 'imported',
    former: {
      tool: 'kube-lego',
      canGo: [
        'annotation kubernetes.io/tls-acme of Ingress shop/web',
        expect.stringContaining('Ingress kube-lego/kube-lego-nginx, and Service kube-lego/kube-lego-nginx'),
        'Deployment kube-lego/kube-lego with ConfigMap kube-lego/kube-lego, which is kube-lego',
        expect.stringMatching(/^Secret kube-lego\/kube-lego-account, its account: import it first/),
      ],
    },
  });
  const [workload] = lego.workloads;
  const named = { ...lego, workloads: workload ? [{ ...workload, variables: ['LEGO_SECRET_NAME'] }] : [] };
  const answer = await take(new Harness([]), secretOf({ annotations }), [empty, named], {
    toolNamespace: 'kube-lego',
  });
  expect(answer.former?.canGo.at(-1)).toMatch(
    /^the Secret that LEGO_SECRET_NAME of Deployment kube-lego\/kube-lego names, its account: /,
  );
});

it('N06 ployst’s container leaves routes for challenges, and each can be deleted', async () => {
  const { chain, key } = minted;
  const data = Object.fromEntries(
    Object.entries({ proxycert: chain, proxykey: key, 'tls.pem': chain + key }).map(([k, v]) => [
      k,
      encode(v),
    ]),
  );
  const container = {
    kind: 'ReplicationController',
    images: ['ployst/letsencrypt:0.0.3'],
    variables: [],
    configMaps: [],
  } as const;
  const proxy = { kind: 'Deployment', images: ['nginx-ssl-proxy'], configMaps: [] } as const;
  const objects: ToolObjects = {
    ...empty,
    workloads: [
      { ...container, name: 'letsencrypt' },
      { ...proxy, name: 'front', variables: ['CERT_SERVICE', 'CERT_SERVICE_HOST_ENV_NAME'] },
    ],
  };
  const harness = new Harness([]);
  const answer = await take(harness, secretOf({ type: 'Opaque', data }), [objects]);
  expect(answer).toMatchObject({
    outcome: 'imported',
    former: {
      tool: 'ployst',
      canGo: [
        expect.stringMatching(/CERT_SERVICE… of Deployment shop\/front.*this route can be deleted$/),
        'ReplicationController shop/letsencrypt, which is ployst',
      ],
    },
  });
  expect((await harness.current(answer.certificate))?.spec?.targets).toMatchObject([{ format: 'ployst' }]);
});
