// Troubles of certificates, by what their AWS secrets say.
import { randomUUID } from 'node:crypto';
import { writeCertificate } from '../../../lib/adapters/secrets-manager/values.ts';
import type { StoredSpec } from '../../../lib/certificate/stored.ts';
import { readCertificate } from '../../../lib/certificate/x509.ts';
import { decodeState, encodeState } from '../../../lib/state/codec/tags.ts';
import { stateOf, stateOfSpec } from '../../../lib/state/describe.ts';
import type { CertificateState, StateChange } from '../../../lib/state/state.ts';
import { mintChain } from '../../minting/certificates.ts';
import { targetOf } from '../../minting/targets.ts';
import type { OperatedSandbox } from '../operated.ts';
import { clusterName, prefix } from '../sandbox.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { type Breakage, dayMs, hourMs, type Trouble } from './trouble.ts';

const shop = { name: 'shop', domains: ['shop.example.com', '*.shop.example.com'] };

/** By name, as people type it. */
export const certificateTroubles: Readonly<Record<string, Trouble>> = {
  orphan: {
    what: 'a certificate that the inventory no longer has, former, expired two days ago',
    shows: ['Unused'],
    async begin(sandbox) {
      return removable(
        sandbox,
        await store(sandbox, { name: 'former', domains: ['former.example.com'] }, -2),
      );
    },
  },
  held: {
    what: 'a certificate that the inventory no longer has, fallen, expired a day ago, and a target still holds it',
    shows: ['Abandoned'],
    async begin(sandbox) {
      const secret = await store(sandbox, { name: 'fallen', domains: ['fallen.example.com'] }, -1);
      const deployed = { version: currentOf(secret), targets: '00000000', phases: ['rolled-out'] } as const;
      mark(secret, { deployed, deliveredTo: [`${clusterName}/shop/fallen-tls`] });
      return removable(sandbox, secret);
    },
  },
  forbidden: {
    what: 'the inventory no longer allows what the webhook registered as stranger: its zone is not there',
    shows: ['NotAllowed'],
    async begin(sandbox) {
      const domains = ['stranger.example.net'];
      const target = targetOf({ cluster: clusterName, namespace: 'edge', secret: 'stranger-tls' });
      const spec: StoredSpec = {
        name: 'stranger',
        domains,
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: [target],
        source: 'registration',
      };
      return removable(sandbox, await store(sandbox, { name: 'stranger', domains, spec }, 60));
    },
  },
  old: {
    what: 'the certificate of shop ends in two days, as if nobody had renewed it',
    shows: ['ExpiresSoon'],
    async begin(sandbox) {
      const secret = await store(sandbox, shop, 2);
      const old = currentOf(secret);
      return {
        isThere: () => currentOf(secret) === old,
        mend: () => invoke(sandbox, 'issue', { certificates: [shop.name] }),
      };
    },
  },
  pause: marked(
    { name: 'shop', what: 'somebody has paused shop and forgotten it', shows: ['Paused'] },
    () => ({ pausedSince: new Date(), pauseReason: 'moving, back on Monday' }),
    (state) => state.pausedSince !== undefined,
  ),
  revoked: marked(
    {
      name: 'depot',
      what: 'the version of depot in use is one that was revoked, as after a way back by hand',
      shows: ['Revoked'],
    },
    (secret) => ({ revoked: [currentOf(secret)] }),
    ({ revoked = [] }, secret) => revoked.includes(currentOf(secret)),
  ),
  served: marked(
    {
      name: 'depot',
      what: 'another certificate has been served under the names of depot for two hours, as probe saw it',
      shows: ['NotServed'],
    },
    (secret) => ({
      served: { version: currentOf(secret), word: 'stale' },
      notServedSince: new Date(Date.now() - 2 * hourMs),
      probedAt: new Date(),
    }),
    ({ notServedSince }) => notServedSince !== undefined,
  ),
  tags: {
    what: 'somebody has written another end onto the tags of depot: yesterday',
    shows: ['Expired', 'TagsDisagree'],
    begin(sandbox) {
      const secret = mustFind(sandbox, 'depot');
      const { notAfter: truth } = decodeState(secret.tags);
      const wrong = new Date(Math.floor((Date.now() - dayMs) / 1000) * 1000);
      mark(secret, { notAfter: wrong });
      return {
        isThere: () => decodeState(secret.tags).notAfter?.getTime() === wrong.getTime(),
        mend: () => mark(secret, { notAfter: truth ?? null }),
      };
    },
  },
};

/** A trouble that tags of a certificate make. Mended, the fields have the values of before. */
function marked(
  { name, ...told }: Pick<Trouble, 'what' | 'shows'> & { readonly name: string },
  stateFor: (secret: Secret) => CertificateState,
  isThere: (state: CertificateState, secret: Secret) => boolean,
): Trouble {
  return {
    ...told,
    begin(sandbox) {
      const secret = mustFind(sandbox, name);
      const change = stateFor(secret);
      const before = decodeState(secret.tags);
      mark(secret, change);
      const fields = Object.keys(change) as (keyof CertificateState)[];
      const back = Object.fromEntries(fields.map((field) => [field, before[field] ?? null]));
      return {
        isThere: () => isThere(decodeState(secret.tags), secret),
        mend: () => mark(secret, back),
      };
    },
  };
}

/** @throws Error if it was never ordered. */
function mustFind({ secretsManager: { vault } }: OperatedSandbox, name: string): Secret {
  const secret = vault.find(`${prefix}/certificates/${name}`);
  if (!secret?.labels.has('AWSCURRENT'))
    throw new Error(`${name} is not ordered yet; order it first: npx certrelay renew ${name}`);
  return secret;
}

function currentOf(secret: Secret): string {
  return secret.labels.get('AWSCURRENT') ?? '';
}

function mark(secret: Secret, change: StateChange): void {
  secret.setTags(Object.entries(encodeState(change)));
}

/** Cured once a person has it deleted, within 30 days. */
function removable({ secretsManager: { vault } }: OperatedSandbox, secret: Secret): Breakage {
  return {
    isThere: () => vault.find(secret.name) === secret && secret.deleted === undefined,
    mend: () => vault.remove(secret),
  };
}

interface Stored {
  readonly name: string;
  readonly domains: readonly string[];
  readonly spec?: StoredSpec;
}

/** Stores a certificate whose end is so many days away. */
async function store(
  { authority, secretsManager: { vault } }: OperatedSandbox,
  { name, domains, spec }: Stored,
  endsInDays: number,
): Promise<Secret> {
  const notAfter = new Date(Date.now() + endsInDays * dayMs);
  const notBefore = new Date(notAfter.getTime() - 90 * dayMs);
  const { chain, key } = await mintChain({ domains, notBefore, notAfter });
  const stored = { chain, key, issuer: authority.directory, ...(spec && { spec }) };
  const version = randomUUID();
  const id = `${prefix}/certificates/${name}`;
  const secret = vault.find(id) ?? vault.make(id);
  secret.addVersion(version, { text: writeCertificate(stored) }, ['AWSCURRENT']);
  mark(secret, { ...stateOf(version, readCertificate(chain), stored), ...(spec && stateOfSpec(spec)) });
  return secret;
}

/** @throws Error with what the function failed with. */
async function invoke({ lambda }: OperatedSandbox, name: string, event: object): Promise<void> {
  const { error } = await lambda.invoke(name, event);
  if (error) throw new Error(`${name} failed: ${error.errorMessage}`);
}
