// Says which function writes which tag of AWS secrets. Its role may write these tags and no others
// (permissions.ts). A test compares both with what the functions write.

/** Functions that order: revoke has a replacement ordered. */
const ordering = ['issue', 'revoke'];
/** Functions that describe what is stored. */
const storing = [...ordering, 'import'];
/** Functions that make a secret for a specification. */
const specifying = ['import', 'register', 'discover'];
/** Functions that look at what is served. */
const looking = ['deploy', 'probe'];

type Writers = Readonly<Record<string, readonly string[]>>;

/** Of a certificate's AWS secret, by the part of the key behind `certrelay:`. A key that ends in a slash goes
 *  on with the name of a cluster; agents write `agent-report/…` by roles of their own (agent-role.yaml). */
export const certificateTags: Writers = {
  version: storing,
  names: [...ordering, ...specifying],
  issuer: storing,
  profile: storing,
  key: storing,
  fingerprint: storing,
  notBefore: storing,
  notAfter: storing,
  certificateId: storing,
  windowStart: storing,
  windowEnd: storing,
  windowOf: ordering,
  explanationUrl: storing,
  askAfter: ordering,
  source: [...ordering, ...specifying],
  place: [...storing, 'discover'],
  domains: [...ordering, ...specifying],
  targets: [...ordering, ...specifying],
  order: ordering,
  orderFor: ordering,
  txt: ordering,
  orders: ordering,
  authorizations: ordering,
  failures: ordering,
  error: ordering,
  nextAttempt: ordering,
  problem: ordering,
  pausedSince: [...ordering, 'pause'],
  pauseReason: [...ordering, 'pause'],
  revoked: ordering,
  revoking: ['revoke'],
  deployed: ['deploy'],
  deliveredTo: ['deploy'],
  deliveryProblem: ['deploy'],
  acm: ['deploy'],
  deliveryHeld: ['deploy', 'import'],
  resumed: ['deploy'],
  served: looking,
  notServedSince: looking,
  probedAt: looking,
  'tags-disagree': ordering,
  'grace-until': ordering,
  owedEvents: [...ordering, 'register', 'discover', 'deploy'],
  health: ['status'],
  acknowledged: ['status'],
  unregister: ['register'],
  retire: ['retire'],
  gone: ['discover'],
  'agent/': ordering,
};

/** Of the AWS secret `<prefix>/installation`, in the same way. */
export const installationTags: Writers = {
  firstRun: ['issue'],
  upgraded: ['issue'],
  issuePass: ['issue'],
  comparedUntil: ['issue'],
  deployPass: ['deploy'],
  probePass: ['probe'],
  discoverPass: ['discover'],
  'cluster/': ['deploy'],
  channels: ['notify'],
  closed: ['notify'],
};

/** Patterns of the keys that a function may write: each key, and what it goes on in where its value is too
 *  long for one tag. */
export function tagPatterns(tags: Writers, writer: string): readonly string[] {
  return Object.entries(tags)
    .filter(([, writers]) => writers.includes(writer))
    .flatMap(([key]) =>
      key.endsWith('/') ? [`certrelay:${key}*`] : [`certrelay:${key}`, `certrelay:${key}.*`],
    );
}
