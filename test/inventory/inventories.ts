// Any valid inventory, for properties.
import fc from 'fast-check';
import type { ClusterSignIn, ClusterSpec } from '../../lib/certificate/cluster-spec.ts';
import type { ZoneAccess } from '../../lib/certificate/dns-spec.ts';
import { type RolloutSpec, weekdays, workloadKinds } from '../../lib/certificate/rollout-spec.ts';
import {
  type CertificateSpec,
  type Inventory,
  type IssuerSpec,
  keyTypes,
  pemFormats,
  type RegistrationSpec,
  type SecretTarget,
  type TenantRules,
} from '../../lib/certificate/spec.ts';

const label = fc.stringMatching(/^[a-z]([a-z0-9]{0,8}[a-z0-9])?$/);
const domain = label.map((text) => `${text}.example.com`);
const key = fc.constantFrom(...keyTypes);
const clusterNames = ['lab', 'prod-1'] as const;

const issuer: fc.Arbitrary<IssuerSpec> = fc.record(
  {
    directory: fc.constantFrom('https://ca.example/dir', 'https://ca.example:14000/a/dir?x=1'),
    contact: fc.array(
      label.map((name) => `mailto:${name}@example.com`),
      { maxLength: 2 },
    ),
    agreeToTerms: fc.constant(true as const),
    profile: fc.constantFrom('tlsserver', 'shortlived'),
    eab: fc.constant({ secret: 'certrelay/eab/acm' }),
    preferredChain: fc.constantFrom('ISRG Root X1', 'Root: "a" #1'),
    caBundle: label.map((name) => ({ file: `/etc/ca/${name}: #.pem` })),
    challenge: fc.constantFrom('dns-01' as const, 'dns-persist-01' as const),
    caaIdentity: fc.uniqueArray(domain, { minLength: 1, maxLength: 2 }),
    attempts: fc.integer({ min: 1, max: 100 }),
    rehearsal: fc.constant('spare'),
    onlyFor: fc.constant([...clusterNames]),
  },
  { requiredKeys: ['directory', 'contact', 'agreeToTerms'] },
);

/** One role always has the same external id. */
const zoneAccess: fc.Arbitrary<ZoneAccess> = fc
  .record({ match: domain, account: fc.constantFrom('111111111111', '222222222222') })
  .map(({ match, account }) => ({
    match,
    roleArn: `arn:aws:iam::${account}:role/dns`,
    ...(account.startsWith('1') ? {} : { externalId: 'shared/2' }),
  }));

const cluster: fc.Arbitrary<ClusterSpec> = fc
  .tuple(
    fc.constantFrom<ClusterSignIn>(
      { kubeconfig: { secret: 'certrelay/clusters/lab' } },
      { kubeconfig: { file: '/tmp/a b' } },
      { eks: { name: 'prod_1', region: 'eu-west-1' } },
      { eks: { name: 'p', region: 'us-gov-east-1', roleArn: 'arn:aws:iam::111111111111:role/eks' } },
      { inCluster: true },
      { inCluster: { folder: '/tmp/: #' } },
    ),
    fc.record(
      {
        server: fc.constantFrom('https://10.0.0.1:6443', 'https://[2001:db8::1]/k8s'),
        caBundle: fc.constant({ file: '/etc/ca.pem' }),
        proxy: fc.constant('http://proxy.example:3128'),
        timeoutSeconds: fc.integer({ min: 1, max: 300 }),
        prune: fc.constantFrom(true as const, ['shop', 'edge']),
        concurrency: fc.integer({ min: 1, max: 64 }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([signIn, settings]) => ({ ...signIn, ...settings }));

const spare: IssuerSpec = {
  directory: 'https://spare.example/dir',
  contact: [],
  agreeToTerms: true,
};

const workload = fc.record({ kind: fc.constantFrom(...workloadKinds), name: label });

const rollout: fc.Arbitrary<RolloutSpec> = fc.record(
  {
    canary: workload,
    waves: fc.integer({ min: 1, max: 100 }),
    deadlineMs: fc.integer({ min: 1, max: 999 }).map((minutes) => minutes * 60_000),
    probe: fc.boolean(),
    windows: fc.array(
      fc.record({
        days: fc.subarray([...weekdays], { minLength: 1 }),
        fromMinute: fc.integer({ min: 0, max: 700 }),
        toMinute: fc.integer({ min: 701, max: 1440 }),
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns'),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['waves', 'deadlineMs', 'probe', 'windows'] },
);

function target(secret: fc.Arbitrary<string>): fc.Arbitrary<SecretTarget> {
  const common = fc.record({
    cluster: fc.constantFrom(...clusterNames),
    namespace: label,
    secret,
    restart: fc.oneof(
      fc.constantFrom('auto' as const, 'needed' as const, 'none' as const),
      fc.array(workload, { minLength: 1, maxLength: 3 }),
    ),
    restartStrategy: fc.constantFrom('annotation' as const, 'env' as const),
    adopt: fc.boolean(),
    replace: fc.boolean(),
  });
  const labels = fc.record(
    { labels: fc.constant({ team: 'shop' }), annotations: fc.constant({ 'example.com/note': 'a b' }) },
    { requiredKeys: [] },
  );
  return fc
    .tuple(common, fc.constantFrom(...layouts), labels, fc.option(rollout, { nil: undefined }))
    .map(([one, two, three, steps]) => ({ ...one, ...two, ...three, ...(steps ? { rollout: steps } : {}) }));
}

/** Where a target is served. */
const addresses = fc.constantFrom(
  {},
  { addresses: [{ address: '10.0.0.7' }, { address: '2001:db8::7', port: 8443 }] },
);

const password = { secret: 'certrelay/passwords/shop' };

/** What fits together of a format, the names of its keys and a keystore's password. */
const layouts: readonly Pick<SecretTarget, 'format' | 'keys' | 'password'>[] = [
  ...pemFormats.map((format) => ({ format })),
  { format: 'tls', keys: { cert: 'server.crt', key: 'server.key' } },
  { format: 'tls', keys: { cert: 'tls.crt', key: 'tls.key', chain: 'ca.crt' } },
  { format: 'combined-pem', keys: { pem: 'haproxy.pem' } },
  { format: 'pkcs12', password },
  { format: 'pkcs12', keys: { keystore: 'shop.p12' }, password },
];

const certificate: fc.Arbitrary<CertificateSpec> = fc
  .record(
    {
      name: label,
      domains: fc.uniqueArray(
        fc.oneof(
          domain,
          label.map((text) => `*.${text}.example.com`),
        ),
        { minLength: 1, maxLength: 4 },
      ),
      issuer: fc.constantFrom('default', 'other'),
      fallbackIssuers: fc.constant(['spare']),
      key,
      rotateKey: fc.constant('never' as const),
      renewBeforeMs: fc.integer({ min: 1, max: 9_999 }).map((hours) => hours * 3_600_000),
      probe: fc.constantFrom(
        false as const,
        {},
        { port: 8443, addresses: [{ address: '203.0.113.7' }, { address: '2001:db8::7', port: 443 }] },
      ),
      targets: fc.array(
        fc.tuple(target(label), addresses).map(([one, two]) => ({ ...one, ...two })),
        {
          maxLength: 3,
        },
      ),
    },
    { requiredKeys: ['name', 'domains', 'issuer', 'key', 'targets'] },
  )
  .map((spec) => (spec.probe === false ? withoutAddresses(spec) : spec));

/** Nobody may tell addresses that are not looked at. */
function withoutAddresses(spec: CertificateSpec): CertificateSpec {
  const targets = spec.targets.map((one) => {
    const { addresses: _, ...rest } = one;
    return rest;
  });
  return { ...spec, targets };
}

/** Secret names are made unique by the place of their target. */
function withOwnSecrets(certificates: readonly CertificateSpec[]): readonly CertificateSpec[] {
  return certificates.map((one, index) => ({
    ...one,
    targets: one.targets.map((each, place) =>
      'acm' in each ? each : { ...each, secret: `${each.secret}-${index}-${place}` },
    ),
  }));
}

const tenant: fc.Arbitrary<TenantRules> = fc.oneof(
  fc.record(
    { zones: fc.array(domain, { minLength: 1, maxLength: 2 }), wildcards: fc.boolean(), apex: fc.boolean() },
    { requiredKeys: ['wildcards', 'apex'] },
  ),
  fc.record(
    {
      issuer: fc.constantFrom('default', 'other'),
      fallbackIssuers: fc.constant(['spare']),
      wildcards: fc.boolean(),
      apex: fc.boolean(),
    },
    { requiredKeys: ['issuer', 'wildcards', 'apex'] },
  ),
);

/** Inventories as parsing gives them: every default filled in, every reference known. */
export const inventories: fc.Arbitrary<Inventory> = fc.record(
  {
    issuers: fc.record({ default: issuer, other: issuer, spare: fc.constant(spare) }),
    clusters: fc.record({ lab: cluster, 'prod-1': cluster, edge: fc.constant({ agent: true as const }) }),
    certificates: fc
      .uniqueArray(certificate, { selector: ({ name }) => name, maxLength: 5 })
      .map(withOwnSecrets),
    registration: fc.record(
      {
        zones: fc.array(domain, { minLength: 1, maxLength: 3 }),
        issuer: fc.constantFrom('default', 'other'),
        fallbackIssuers: fc.constant(['spare']),
        key,
        restarts: fc.constant<RegistrationSpec['restarts']>(['auto', { kind: 'Deployment', name: 'web' }]),
        github: fc.boolean(),
        targets: fc.array(target(label.map((text) => `${text}-{name}`)), { maxLength: 2 }),
      },
      { requiredKeys: ['zones', 'issuer', 'key', 'targets'] },
    ),
    discovery: fc.record(
      {
        places: fc.uniqueArray(
          fc.tuple(label, fc.option(tenant, { nil: undefined })).map(([namespace, rules]) => ({
            cluster: 'lab',
            namespace,
            ...(rules ? { tenant: rules } : {}),
          })),
          { selector: ({ namespace }) => namespace, minLength: 1, maxLength: 3 },
        ),
        zones: fc.array(domain, { minLength: 1, maxLength: 3 }),
        annotation: fc.constantFrom('certrelay.dev/tls', 'tls'),
        hints: fc.boolean(),
        classes: fc.constant(['nginx']),
        issuer: fc.constantFrom('default', 'other'),
        fallbackIssuers: fc.constant(['spare']),
        key,
        adopt: fc.boolean(),
        retire: fc.boolean(),
      },
      { requiredKeys: ['places', 'zones', 'annotation', 'hints', 'issuer', 'key', 'adopt', 'retire'] },
    ),
    dns: fc.record(
      {
        delegationZone: domain,
        zones: fc.uniqueArray(zoneAccess, { selector: ({ match }) => match }),
        preflight: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    tags: fc.dictionary(
      fc.stringMatching(/^[a-z][A-Za-z0-9_-]{0,9}$/),
      fc.stringMatching(/^[A-Za-z0-9 _.:/=+@-]{0,12}$/),
      { maxKeys: 5, noNullPrototype: true },
    ),
    kmsKey: fc.uuid().map((id) => `arn:aws:kms:eu-central-1:123456789012:key/${id}`),
  },
  { requiredKeys: ['issuers', 'clusters', 'certificates'] },
);
