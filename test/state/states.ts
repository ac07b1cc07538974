// Any state that can be: every field, of any text and any length that its rules allow.
import fc from 'fast-check';
import { keyTypes } from '../../lib/certificate/spec.ts';
import { specSources } from '../../lib/certificate/stored.ts';
import {
  type AgentReport,
  type DeliveryPhase,
  type DeliveryRecord,
  type Freeze,
  type Holding,
  type SeenServed,
  servedWords,
} from '../../lib/state/delivery.ts';
import { healthWords, tellers } from '../../lib/state/health.ts';
import type { CertificateState } from '../../lib/state/state.ts';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 700 }).map((value) => value.toWellFormed());
/** Without what stands between the parts of a record. */
const word = fc.stringMatching(/^[A-Za-z0-9.-]{1,64}$/);
const date = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});
/** Unix times have up to eleven digits. */
const second = fc.nat({ max: 2 ** 31 - 1 }).map((seconds) => new Date(seconds * 1000));
const list = (of: fc.Arbitrary<string>) => fc.array(of, { minLength: 1, maxLength: 30 });
const url = word.map((path) => `https://ca.example/${path}?of=x`);

const holding: fc.Arbitrary<Holding> = fc.record({
  version: fc.stringMatching(/^[0-9a-f]{8}$/),
  notAfter: second,
});
/** A list of which nothing is known is not written. */
const holds = fc
  .array(fc.option(holding, { nil: undefined }), { minLength: 1, maxLength: 20 })
  .filter((list) => list.some((held) => held !== undefined));
const toldOf = fc.subarray([...tellers]);
const trouble = fc.record(
  { since: date, code: word, cause: fc.constantFrom('cluster/prod', 'issuer/le'), words: text },
  { requiredKeys: ['since', 'code', 'words'] },
);

const phase = fc.constantFrom<DeliveryPhase>('none', 'applied', 'rolled-out');
const delivery: fc.Arbitrary<DeliveryRecord> = fc.record(
  {
    version: word,
    targets: word,
    phases: fc.array(phase),
    retry: fc.record({ failures: fc.nat({ max: 999_999 }), after: date }),
    holds,
  },
  { requiredKeys: ['version', 'targets', 'phases'] },
);
const target = fc.constantFrom('*', 'lab/shop/shop-tls', 'acm/eu-central-1/shop');
const freeze: fc.Arbitrary<Freeze> = fc.record({ version: word, target, reason: text });
const served: fc.Arbitrary<SeenServed> = fc.record(
  {
    word: fc.constantFrom(...servedWords),
    targets: fc.record({
      addresses: word,
      words: fc.array(fc.constantFrom(undefined, ...servedWords)),
    }),
  },
  { requiredKeys: ['word'] },
);
/** A report's freeze is of one line, and of ASCII. */
const ownFreeze = fc.record({ version: word, target, reason: fc.stringMatching(/^[ -~]{0,60}$/) });
const report: fc.Arbitrary<AgentReport> = fc.record(
  { deployed: delivery, served, notServedSince: date, probedAt: date, freeze: ownFreeze, resumedAt: date },
  { requiredKeys: [] },
);
const byCluster = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom('edge', 'edge-2', 'Lab_1'), value, { minKeys: 1, maxKeys: 3 });

/** Every field of the state. */
export const anyFields: {
  readonly [K in keyof CertificateState]-?: fc.Arbitrary<Required<CertificateState>[K]>;
} = {
  version: text,
  names: text,
  issuer: text,
  profile: text,
  key: fc.constantFrom(...keyTypes),
  fingerprint: text,
  notBefore: date,
  notAfter: date,
  certificateId: text,
  windowStart: date,
  windowEnd: date,
  windowOf: text,
  explanationUrl: text,
  askAfter: date,
  source: fc.constantFrom(...specSources),
  place: fc.record({ cluster: word, namespace: word }),
  domains: list(word),
  targets: text,
  order: text,
  orderFor: fc.record({ directory: url, profile: text }, { requiredKeys: ['directory'] }),
  txt: fc.array(fc.stringMatching(/^[\w-]{8}$/), { minLength: 1, maxLength: 100 }),
  orders: fc.record({
    directory: url,
    registeredDomains: list(word),
    times: fc.array(second, { minLength: 1, maxLength: 20 }),
  }),
  authorizations: fc.record(
    {
      expires: date,
      readAt: date,
      methods: fc.array(fc.constantFrom('dns-01', 'http-01', 'x'), { maxLength: 3 }),
      subject: fc.stringMatching(/^[0-9a-f]{64}$/),
      profile: text,
    },
    { requiredKeys: ['expires', 'readAt', 'methods', 'subject'] },
  ),
  failures: fc.nat({ max: 999_999_999 }),
  error: text,
  nextAttempt: date,
  problem: trouble,
  pausedSince: date,
  pauseReason: text,
  revoked: list(word),
  revoking: text,
  deployed: delivery,
  deliveredTo: list(target),
  deliveryProblem: trouble,
  freeze,
  resumed: fc.record({ version: word, at: date }),
  acm: list(word.map((id) => `arn:aws:acm:eu-central-1:123456789012:certificate/${id}`)),
  served: fc.record({ version: word }).chain(({ version }) => served.map((seen) => ({ version, ...seen }))),
  notServedSince: date,
  probedAt: date,
  tagsDisagree: date,
  graceUntil: date,
  owedEvents: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('registered' as const), at: date }),
      fc.record({ kind: fc.constant('issued' as const), at: date, version: word, notAfter: date }),
      fc.record({
        kind: fc.constant('revoked' as const),
        at: date,
        version: word,
        notAfter: date,
        reason: word,
      }),
      fc.record({
        kind: fc.constant('delivered' as const),
        at: date,
        version: word,
        notAfter: date,
        fingerprint: fc.string({
          unit: fc.constantFrom(...Array.from('0123456789abcdef')),
          minLength: 64,
          maxLength: 64,
        }),
        isRepeat: fc.boolean(),
      }),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  health: fc.record(
    {
      health: fc.constantFrom(...healthWords),
      reason: word,
      since: date,
      told: toldOf,
      wasDegraded: fc.constant(true as const),
      isCaused: fc.constant(true as const),
      turn: fc.constantFrom('0a1b2c3d', 'ffffffff'),
    },
    { requiredKeys: ['health', 'reason', 'since', 'told'] },
  ),
  acknowledged: fc.record({ until: date, reason: word, words: text }),
  unregister: date,
  retire: fc.oneof(
    fc.record({ kind: fc.constant('retire' as const), at: date, revoke: fc.boolean() }),
    fc.record(
      { kind: fc.constant('restored' as const), at: date, version: word },
      { requiredKeys: ['kind', 'at'] },
    ),
  ),
  gone: fc.oneof(
    fc.record({
      kind: fc.constant('counting' as const),
      since: date,
      days: fc.nat({ max: 9 }),
      countedAt: date,
      row: fc.nat({ max: 9 }),
    }),
    fc.record({ kind: fc.constant('retire' as const), at: date, since: date }),
  ),
  signatures: byCluster(text),
  reports: byCluster(report),
};

/** Some of the fields. */
export const anyState: fc.Arbitrary<CertificateState> = fc.record(anyFields, { requiredKeys: [] });

/** A change that clears every field. */
export const cleared: { readonly [K in keyof CertificateState]: null } = Object.fromEntries(
  Object.keys(anyFields).map((field) => [field, null]),
);

const id = fc.stringMatching(/^[0-9a-f]{64}$/);
const hash = fc.stringMatching(/^[0-9a-f]{8}$/);
const instant = fc.date({ min: new Date('2026-01-01'), max: new Date('2036-01-01'), noInvalidDate: true });
const name = fc.stringMatching(/^[a-z0-9]{1,40}$/);
const path = fc.stringMatching(/^[a-zA-Z0-9/]{1,100}$/).map((rest) => `https://ca.example/${rest}`);
const phases = fc.array(phase, { minLength: 1, maxLength: 20 });
const retry = fc.record({ failures: fc.nat({ max: 999 }), after: instant });
/** Versions are ids of AWS in a record; of two renewals at most. */
const boundedHolds = fc
  .tuple(holding, holding, fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 20 }))
  .map(([one, other, row]) => row.map((place) => (place === 0 ? one : other)));
const boundedDelivery = fc.record({ version: id, targets: hash, phases, retry, holds: boundedHolds });
const boundedServed = fc.record({
  word: fc.constantFrom(...servedWords),
  targets: fc.record({
    addresses: hash,
    words: fc.array(fc.constantFrom(undefined, ...servedWords), { minLength: 1, maxLength: 20 }),
  }),
});
/** While nothing is frozen: a report with a freeze takes a second tag of those that are free. */
const boundedReport = fc.record({
  deployed: boundedDelivery,
  served: boundedServed,
  notServedSince: instant,
  probedAt: instant,
});
const ofAgents = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.record({ edge: value, depot: value, 'far-1': value, 'far-2': value });

/** Every field at once, each as long as the budget grants it room. */
export const boundedState: fc.Arbitrary<CertificateState> = fc.record({
  ...anyFields,
  version: id,
  names: id,
  issuer: path,
  profile: name,
  fingerprint: id,
  notBefore: instant,
  notAfter: instant,
  certificateId: name,
  windowOf: name,
  explanationUrl: path,
  place: fc.record({ cluster: name, namespace: name }),
  domains: fc.array(name, { minLength: 1, maxLength: 24 }),
  targets: hash,
  order: path,
  orderFor: fc.record({ directory: path, profile: name }),
  txt: fc.array(fc.stringMatching(/^[\w-]{8}$/), { minLength: 1, maxLength: 63 }),
  orders: fc.record({
    directory: path,
    registeredDomains: fc.array(name, { minLength: 1, maxLength: 5 }),
    times: fc.array(second, { minLength: 1, maxLength: 20 }),
  }),
  authorizations: fc.record({
    expires: instant,
    readAt: instant,
    methods: fc.constantFrom([], ['dns-01'], ['dns-01', 'tls-alpn-01']),
    subject: id,
    profile: name,
  }),
  error: name,
  pauseReason: fc.stringMatching(/^[a-z]([a-z ]{0,78}[a-z])?$/),
  revoked: fc.array(id, { minLength: 1, maxLength: 4 }),
  revoking: id,
  deployed: boundedDelivery,
  freeze: fc.record({ version: id, target: fc.constant('lab/shop/shop-tls'), reason: name }),
  resumed: fc.record({ version: id, at: instant }),
  acm: fc.array(
    fc.uuid().map((uuid) => `arn:aws:acm:eu-central-1:123456789012:certificate/${uuid}`),
    { minLength: 1, maxLength: 5 },
  ),
  served: fc.tuple(id, boundedServed).map(([version, seen]) => ({ version, ...seen })),
  signatures: ofAgents(fc.stringMatching(/^[\w/]{254}$/)),
  reports: ofAgents(boundedReport),
});
