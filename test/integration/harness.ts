// Certificates in threes (an apex with its wildcard, one with two names, a renewal) in a sandbox of their
// own, for tests that kill, disturb or repeat the run that orders them; and what must hold of them
// afterwards.
import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import type { Call } from '../sandbox/journal.ts';
import type { InvokeResult } from '../sandbox/lambda/server.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';

const zoneName = 'shop.example.com';
/** A value that somebody else keeps where ours come and go. */
const foreign = '"not-ours"';

/** One certificate of the inventory. */
export interface Certificate {
  readonly name: string;
  readonly domains: readonly string[];
  readonly issuer: string;
}

/** The three certificates of a number. The first one's issuer has no account yet, the last one is due for
 *  renewal. */
export function trio(number: number): readonly Certificate[] {
  const [apex, san, renewal] = ['apex', 'san', 'renewal'].map((kind) => `${kind}-${number}`);
  const under = (name: string) => `${name}.${zoneName}`;
  return [
    { name: `${apex}`, domains: [under(`${apex}`), `*.${under(`${apex}`)}`], issuer: `new-${number}` },
    { name: `${san}`, domains: [under(`${san}`), under(`www.${san}`)], issuer: 'default' },
    { name: `${renewal}`, domains: [under(`${renewal}`)], issuer: 'default' },
  ];
}

/** One invocation of the issue function. */
export type RunTrios = (options?: {
  readonly event?: object;
  readonly remainingMs?: number;
}) => Promise<InvokeResult>;

/** A sandbox in which the renewals of all the given numbers have been issued and are due. */
export interface Trios {
  readonly sandbox: Sandbox;
  /** The function's inventory holds these certificates and nothing else from now on; `issuers`: others than a
   *  trio has. */
  ask(certificates: readonly Certificate[], issuers?: Readonly<Record<string, object>>): Promise<void>;
  readonly run: RunTrios;
  /** Moves the deadlines of all claims to now: nobody waits here until the last killed run would have been
   *  over. */
  endClaims(): void;
  /** What is not as it must be with certificates of a trio that have been ordered, in words; empty where all
   *  is well. `spare`: how many orders there may be beside one for each. */
  findFaults(certificates: readonly Certificate[], spare?: number): readonly string[];
}

/** What a test wants otherwise. */
export interface TriosOptions {
  /** Whether runs look at DNS before an order, which they do where this is absent. */
  readonly preflight?: boolean;
  /** The numbers whose renewals are needed; all of them where this is absent. */
  readonly renewals?: readonly number[];
}

/** The CA makes a new order and new authorizations each time, as RFC 8555 allows: nothing is forgiven. */
export async function startTrios(
  numbers: readonly number[],
  { preflight = true, renewals = numbers }: TriosOptions = {},
): Promise<Trios> {
  const sandbox = await startQuietSandbox({ zones: [] });
  const { authority, lambda, route53, inventoryPath } = sandbox;
  const zone = route53.createZone(zoneName);
  authority.settings.authorizationReuse = false;
  authority.settings.orderReuse = false;

  const ask: Trios['ask'] = (certificates, others = {}) => {
    const issuer = { directory: authority.directory, caBundle: authority.caPem, agreeToTerms: true };
    // To Certrelay another URL is another CA, for which it needs another account.
    const fresh = certificates
      .filter((one) => one.issuer.startsWith('new-'))
      .map((one) => [one.issuer, { ...issuer, directory: `${authority.directory}?of=${one.issuer}` }]);
    const issuers = { default: issuer, ...Object.fromEntries(fresh), ...others };
    return writeFile(inventoryPath, stringify({ issuers, dns: { preflight }, certificates }));
  };
  const run: RunTrios = ({ event = {}, ...time } = {}) => lambda.invoke('issue', event, time);

  if (renewals.length > 0) {
    const due = renewals.flatMap((number) => trio(number).filter(isRenewal));
    await ask(due);
    expect(await run()).toMatchObject({ error: undefined, answer: { summary: { issued: due.length } } });
    for (const { name } of due) fallDue(name, sandbox);
  }
  for (const number of numbers) addForeignValue(trio(number)[0]?.domains[0] ?? '', zone);
  return {
    sandbox,
    ask,
    run,
    endClaims: () => endClaims(sandbox),
    findFaults: (certificates, spare = 0) => findFaults(certificates, spare, sandbox, zone),
  };
}

/** The CA wants it renewed now, and the time has come to ask the CA. */
function fallDue(name: string, { authority, secretsManager }: Sandbox): void {
  const secret = secretsManager.vault.mustFind(`${prefix}/certificates/${name}`);
  const current = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  authority.renewNow(chainOf(current?.value.text) ?? '');
  secret.setTags([['certrelay:askAfter', '']]);
}

function addForeignValue(domain: string, zone: HostedZone): void {
  const set = { name: `_acme-challenge.${domain}.`, type: 'TXT', ttl: 300, values: [foreign] };
  const outcome = zone.change([{ action: 'CREATE', set }], 0);
  if ('messages' in outcome) throw new Error(outcome.messages.join());
}

function endClaims({ secretsManager }: Sandbox): void {
  for (const { labels, versions } of secretsManager.vault.secrets) {
    const claim = versions.get(labels.get('AWSPENDING') ?? '');
    if (claim?.value.text === undefined) continue;
    const value = JSON.parse(claim.value.text);
    value.pending.deadline = new Date().toISOString();
    versions.set(claim.id, { ...claim, value: { text: JSON.stringify(value) } });
  }
}

function chainOf(text = '{}'): string | undefined {
  return JSON.parse(text)['tls.crt'];
}

function findFaults(
  certificates: readonly Certificate[],
  spare: number,
  sandbox: Sandbox,
  zone: HostedZone,
): readonly string[] {
  const names = certificates.flatMap(({ domains }) => domains);
  const texts = zone
    .list()
    .filter(({ type, name }) => type === 'TXT' && names.some((one) => name.includes(one)));
  const values = texts.flatMap(({ name, values }) => values.map((value) => `${name} ${value}`));
  const kept = values.filter((value) => value.endsWith(` ${foreign}`));
  const orders = sandbox.authority.orders().filter((order) => order.names.some((one) => names.includes(one)));
  // A renewal has one from before.
  const extra = orders.length - certificates.length - certificates.filter(isRenewal).length;
  return [
    ...certificates.flatMap((certificate) => findFaultsOf(certificate, sandbox)),
    ...(kept.length === certificates.filter(isApex).length ? [] : ['a TXT value of somebody else is gone']),
    ...values.filter((value) => !kept.includes(value)).map((value) => `TXT value left: ${value}`),
    ...(extra > spare ? [`${extra} orders too many`] : []),
  ];
}

function isApex({ name }: Certificate): boolean {
  return name.startsWith('apex-');
}

function isRenewal({ name }: Certificate): boolean {
  return name.startsWith('renewal-');
}

function findFaultsOf(certificate: Certificate, { secretsManager }: Sandbox): readonly string[] {
  const { name, domains } = certificate;
  const secret = secretsManager.vault.find(`${prefix}/certificates/${name}`);
  if (!secret) return [`${name} has no AWS secret`];
  const held = (version: string | undefined) => {
    const { 'tls.crt': chain, 'tls.key': key } = JSON.parse(
      secret.versions.get(version ?? '')?.value.text ?? '{}',
    );
    return verifyBundle({ chain: String(chain), key: String(key), domains });
  };
  const verdict = held(secret.labels.get('AWSCURRENT'));
  const renewed = isRenewal(certificate);
  const wanted = renewed ? 2 : 1;
  const versions = [...secret.versions.values()].filter(({ value }) => chainOf(value.text) !== undefined);
  const before = secret.labels.get('AWSPREVIOUS');
  return [
    ...(verdict.ok ? [] : [`AWSCURRENT of ${name}: ${verdict.message}`]),
    ...(versions.length === wanted ? [] : [`${name} has ${versions.length} certificates, not ${wanted}`]),
    ...(!renewed || held(before).ok ? [] : [`${name} lost its certificate before`]),
    ...(secret.labels.has('AWSPENDING') ? [`${name} is still claimed`] : []),
    ...(secret.tags.get('certrelay:order') ? [`${name} still has an order on its tag`] : []),
  ];
}

/** Tells the calls that a run of the issue function makes. Once a challenge is answered whoever asks DNS is
 *  the CA. */
export function ownCalls(): (call: Call) => boolean {
  let answered = false;
  return ({ service, action, principal }) => {
    if (service === 'acme') {
      answered ||= action === 'challenge';
      return true;
    }
    if (service === 'dns') return !answered;
    // Lambda reads the queue in the function's name.
    return principal === 'issue' && !/^(ReceiveMessage|DeleteMessage|GetQueueAttributes)$/.test(action);
  };
}
