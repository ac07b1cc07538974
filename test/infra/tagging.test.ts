// Which functions write which tags: their roles allow their own (infra/template/tag-keys.ts) and no others.
// That each is written by some function is held in test/integration/iam.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { certificateTags, installationTags } from '../../infra/template/tag-keys.ts';
import { encodeState } from '../../lib/state/codec/tags.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { functionNames } from '../function-names.ts';
import { isAllowed, type Statement } from '../sandbox/iam/evaluation.ts';
import { type Packaged, packageService, readPackagedService, wideInventory } from './packaged.ts';
import { readAgentRole, readPolicies } from './policies.ts';

const region = 'eu-central-1';
const account = '123456789012';
const secret = (name: string) =>
  `arn:aws:secretsmanager:${region}:${account}:secret:certrelay/${name}-AbCdEf`;
const resource = secret('certificates/shop');
let packaged: Packaged;
let policies: Readonly<Record<string, readonly Statement[]>>;
beforeAll(async () => {
  packaged = await readPackagedService();
  policies = readPolicies(packaged.template, { region, account });
}, 120_000);

/** The functions that may write these keys with one call. */
const mayTag = (action: string, of: string, ...keys: readonly string[]) =>
  functionNames.filter((name) => {
    const conditions = { 'aws:TagKeys': keys };
    return isAllowed(policies[name] ?? [], { action: `secretsmanager:${action}`, resource: of, conditions });
  });

const sorted = (names: readonly string[] = []) => functionNames.filter((one) => names.includes(one));
const making = ['issue', 'register', 'discover', 'import', 'revoke', 'pause'];
/** With the name of a cluster where a key goes on with one. */
const written = (key: string) => `certrelay:${key.endsWith('/') ? `${key}edge` : key}`;

it.each(
  Object.entries(certificateTags),
)('Y10 the tag %s is taken away by none but who orders or delivers, and writes it', (key, writers) => {
  const removing = ['issue', 'deploy', 'revoke'].filter((name) => writers.includes(name));
  expect(mayTag('UntagResource', resource, written(key))).toEqual(sorted(removing));
  expect(mayTag('UntagResource', resource, written(key), 'team')).toEqual([]);
});

describe.each(Object.entries(certificateTags))('the tag %s of a certificate', (key, writers) => {
  it(`Y10 is written by ${writers.join()} alone, also in parts, and beside any other tag by nobody who may not write both`, () => {
    for (const tag of [written(key), `${written(key)}.1`]) {
      expect(mayTag('TagResource', resource, tag), tag).toEqual(sorted(writers));
      const makers = writers.filter((name) => making.includes(name));
      expect(mayTag('CreateSecret', resource, tag), tag).toEqual(sorted(makers));
    }
    for (const [other, theirs] of Object.entries(certificateTags)) {
      const both = writers.filter((name) => theirs.includes(name));
      expect(mayTag('TagResource', resource, written(key), written(other)), other).toEqual(sorted(both));
    }
  });
});

it.each([
  'certrelay:agent-report/edge',
  'certrelay:Agent/edge',
  'certrelay:Deployed',
  'certrelay:agent',
  'certrelay:unheard-of',
  'certrelay:deployedX',
  'owner',
  'Certrelay:version',
])('Y10 %s is written by no function', (key) => {
  for (const action of ['TagResource', 'CreateSecret']) {
    expect(mayTag(action, resource, key), action).toEqual([]);
    expect(mayTag(action, resource, 'certrelay:version', 'certrelay:deployed', key), action).toEqual([]);
  }
});

it('a secret may be made without a tag, and is not tagged without saying with what by those who only tag', () => {
  expect(mayTag('CreateSecret', resource)).toEqual(sorted(making));
  expect(mayTag('TagResource', resource)).toEqual(sorted(making));
  expect(mayTag('CreateSecret', secret('accounts/0a1b'))).toEqual(['issue', 'import', 'revoke']);
  expect(mayTag('CreateSecret', secret('accounts/0a1b'), 'certrelay:version')).toEqual([]);
  expect(mayTag('TagResource', secret('accounts/0a1b'), 'certrelay:version')).toEqual([]);
});

it('the key that signs, and the installation, get their own tags from whom they are', () => {
  expect(mayTag('CreateSecret', secret('signing-key'), 'certrelay:publicKey')).toEqual(['issue', 'revoke']);
  expect(mayTag('TagResource', secret('signing-key'), 'certrelay:version')).toEqual([]);
  expect(mayTag('TagResource', secret('signing-keys-of-others'), 'certrelay:publicKey')).toEqual([]);
  for (const [key, writers] of Object.entries(installationTags)) {
    expect(mayTag('TagResource', secret('installation'), `certrelay:${key}`), key).toEqual(sorted(writers));
  }
  expect(mayTag('TagResource', secret('installation'), 'certrelay:version')).toEqual([]);
  expect(mayTag('TagResource', resource, 'certrelay:issuePass')).toEqual([]);
});

it('rights that come with tags come with nothing else', () => {
  const mixed = Object.values(policies)
    .flat()
    .filter(({ conditions }) => JSON.stringify(conditions).includes('aws:TagKeys'))
    .filter(
      ({ actions }) =>
        !actions.every((action) => /:(CreateSecret|TagResource|UntagResource)$|^acm:/.test(action)),
    );
  expect(mixed).toEqual([]);
  const free = Object.values(policies)
    .flat()
    .filter(({ actions }) =>
      actions.some((action) => /secretsmanager:(CreateSecret|(Unt|T)agResource)$/.test(action)),
    )
    .filter(({ conditions }) => !JSON.stringify(conditions).includes('aws:TagKeys'));
  expect(free).toEqual([]);
});

it('whoever adds a field to the state says in infra/template/tag-keys.ts who writes it', () => {
  const keys = Object.keys(encodeState(everyField)).map((key) => key.replace('certrelay:', ''));
  const named = Object.keys(certificateTags).map((key) => written(key).replace('certrelay:', ''));
  expect(named.toSorted()).toEqual(keys.filter((key) => key !== 'agent-report/edge').toSorted());
});

it('no role is larger than IAM takes: 10,240 characters of inline policies', async () => {
  // The longest names that there are: 20 characters of a region, 64 of a prefix.
  const prefix = 'p'.repeat(64);
  const tags = ['a', 'b', 'c', 'd', 'e'].map((key) => `  ${key.repeat(64)}: x\n`);
  const key = 'arn:aws-us-gov:kms:eu-central-1:210987654321:key/mrk-0123456789abcdef0123456789abcdef';
  const inventory = `${wideInventory}\ntags:\n${tags.join('')}kmsKey: ${key}\n`;
  const { template } = await packageService({ prefix, eventBus: 'b'.repeat(64) }, inventory);
  const longest = { region: 'ap-southeast-10-test', account, parameters: {} };
  for (const [name, statements] of Object.entries(readPolicies(template, longest))) {
    const size = JSON.stringify(statements).length;
    expect(size, name).toBeLessThan(10_240);
  }
});

it('an agent reads by its tag in whatever case the key is written, so no other case of it may be written either', async () => {
  const agent = await readAgentRole('edge');
  const reads = (key: string) =>
    isAllowed(agent, {
      action: 'secretsmanager:GetSecretValue',
      resource,
      conditions: { [`aws:ResourceTag/${key}`]: ['x'] },
    });
  expect(['certrelay:agent/edge', 'CertRelay:AGENT/edge', 'certrelay:agent/depot'].map(reads)).toEqual([
    true,
    true,
    false,
  ]);
});

const at = new Date(0);
const everyField: Required<CertificateState> = {
  version: 'v',
  names: 'n',
  issuer: 'i',
  profile: 'p',
  key: 'ecdsa-p256',
  fingerprint: 'f',
  notBefore: at,
  notAfter: at,
  certificateId: 'c',
  windowStart: at,
  windowEnd: at,
  windowOf: 'w',
  explanationUrl: 'u',
  askAfter: at,
  source: 'registration',
  place: { cluster: 'lab', namespace: 'shop' },
  domains: ['d'],
  targets: 't',
  order: 'o',
  orderFor: { directory: 'https://ca.example/directory' },
  txt: ['12345678'],
  orders: { directory: 'https://ca.example/directory', registeredDomains: ['d'], times: [at] },
  authorizations: { expires: at, readAt: at, methods: ['m'], subject: '0'.repeat(64) },
  failures: 1,
  error: 'e',
  nextAttempt: at,
  problem: { since: at, code: 'c', words: 'w' },
  pausedSince: at,
  pauseReason: 'r',
  revoked: ['v'],
  revoking: 'v',
  deliveredTo: ['lab/shop/tls'],
  owedEvents: [{ kind: 'registered', at }],
  deliveryProblem: { since: at, code: 'c', words: 'w' },
  health: { health: 'Degraded', reason: 'r', since: at, told: [] },
  acknowledged: { until: at, reason: 'r', words: 'w' },
  deployed: { version: 'v', targets: 't', phases: ['none'] },
  freeze: { version: 'v', target: '*', reason: 'r' },
  resumed: { version: 'v', at },
  acm: ['a'],
  served: { version: 'v', word: 'served' },
  notServedSince: at,
  probedAt: at,
  tagsDisagree: at,
  graceUntil: at,
  unregister: at,
  retire: { kind: 'retire', at, revoke: true },
  gone: { kind: 'retire', at, since: at },
  signatures: { edge: 's' },
  reports: { edge: {} },
};
