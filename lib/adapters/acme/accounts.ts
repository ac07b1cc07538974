// Connects issuers to their CAs: one ACME account per directory URL, registered once (RFC 8555 §7.3).
import type { KeyObject } from 'node:crypto';
import { PromiseCache } from '../../async/promise-cache.ts';
import type { IssuerSpec } from '../../certificate/spec.ts';
import type { AccountStore, AcmeAccount } from '../../ports/accounts.ts';
import {
  type AccountKeys,
  AcmeError,
  type CertificateAuthority,
  type ConnectAuthority,
  type DescribeAuthority,
  type FindObstacle,
  type KeyedAccount,
} from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { readAccountKey, thumbprint } from './account-key.ts';
import { openAuthority } from './authority.ts';
import type { Timeouts } from './http.ts';
import { finishRollover, readExchangeable, rollOver } from './key-rollover.ts';
import { findObstacle } from './obstacles.ts';
import { findAccount, makeAccountKey, type Registrant, registerAccount } from './registration.ts';
import { Session } from './session.ts';
import { Transport } from './transport.ts';

/** What connections to CAs need. */
export interface AuthorityOptions {
  /** The inventory's issuers by name. */
  readonly issuers: Readonly<Record<string, IssuerSpec>>;
  readonly accounts: AccountStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads the PEM file of a `caBundle: { file }`. */
  readonly readFile: (path: string) => Promise<string>;
  /** Reads the AWS secret of an `eab` as text. */
  readonly readText: (secret: string, signal: AbortSignal) => Promise<string>;
  /** Default: `defaultTimeouts`. */
  readonly timeouts?: Timeouts;
}

/** Connections to the CAs of an inventory. */
export interface Authorities {
  /** Connects to an issuer's CA, and registers an account the first time. Calls for the same issuer share one
   *  connection. A new account's key is stored before it is sent to the CA, so a crash never loses an
   *  account. An interrupted exchange of keys is finished first.
   *  @throws AcmeError, e.g. `Unsupported` if the inventory has no such issuer. */
  readonly connect: ConnectAuthority;
  /** Describes an issuer for CAA checks. Reads only the CA's directory and registers no account.
   *  @throws AcmeError. */
  readonly describe: DescribeAuthority;
  /** Finds what an order of an issuer would fail for, without ordering or registering anything.
   *  @throws AcmeError `Unsupported` if the inventory has no such issuer; StoreError. */
  readonly findObstacle: FindObstacle;
  /** Exchanges the keys of accounts. A later `connect` uses the new one.
   *  @throws AcmeError `Unsupported` also if the inventory has no such issuer. */
  readonly accountKeys: AccountKeys;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** Connections to the CAs of an inventory. Each is opened at its first use and kept until `close`. */
export function createAuthorities(options: AuthorityOptions): Authorities {
  const open = new PromiseCache<Connected>();
  const endpoints = new PromiseCache<IssuerEndpoint>();
  const transports: Transport[] = [];
  const reach = (name: string) =>
    endpoints.get(name, async () => {
      const endpoint = await reachIssuer(name, options);
      transports.push(endpoint.transport);
      return endpoint;
    });
  return {
    connect: async (name, signal) =>
      (await open.get(name, async () => connect(await reach(name), options, signal))).authority,
    async describe(name, signal) {
      const { directory, issuer, transport } = await reach(name);
      const { meta } = await transport.directory(signal);
      const connected = await open.known(name)?.catch(() => undefined);
      const stored = connected ? undefined : await options.accounts.read(directory, signal);
      const storedUrl = connected?.session.accountUrl ?? stored?.url;
      const accountUrl =
        (await problemOf(storedUrl, directory, transport, signal)) === undefined ? storedUrl : undefined;
      // An order falls back to dns-01 if the CA does not offer dns-persist-01.
      const lasting =
        issuer.challenge === 'dns-persist-01'
          ? {
              methods: [issuer.challenge, 'dns-01'] as const,
              thumbprint: connected?.thumbprint ?? (stored && thumbprint(readAccountKey(stored.key))),
              accountHashPrefix: meta?.accountHashPrefix,
            }
          : {};
      const published = meta?.caaIdentities ?? [];
      const identities = published.length > 0 ? published : (issuer.caaIdentity ?? []);
      return { identities, accountUrl, ...lasting };
    },
    findObstacle: async (name, order, signal) =>
      findObstacle(order, { ...(await reach(name)), accounts: options.accounts }, signal),
    accountKeys: {
      async look(name, signal) {
        const endpoint = await reach(name);
        const { url } = await readExchangeable({ ...endpoint, accounts: options.accounts }, signal);
        return describeKeyed(endpoint, url, signal);
      },
      async exchange(name, signal) {
        const endpoint = await reach(name);
        const { url } = await rollOver({ ...endpoint, accounts: options.accounts }, signal);
        open.forget(name);
        const { directory } = endpoint;
        options.log.info('account key exchanged', { issuer: name, directory, account: url });
        return describeKeyed(endpoint, url, signal);
      },
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()));
    },
  };
}

/** An issuer with the transport to its CA. */
interface IssuerEndpoint extends Registrant {
  readonly name: string;
  readonly directory: string;
}

/** An issuer's account and its session. */
interface Connected {
  readonly authority: CertificateAuthority;
  readonly session: Session;
  /** Thumbprint of the account's key (RFC 7638). */
  readonly thumbprint: string;
}

async function describeKeyed(
  { directory, transport }: IssuerEndpoint,
  url: string | undefined,
  signal: AbortSignal,
): Promise<KeyedAccount> {
  const { meta } = await transport.directory(signal);
  return { directory, url, isHashed: meta?.accountHashPrefix !== undefined };
}

async function reachIssuer(name: string, options: AuthorityOptions): Promise<IssuerEndpoint> {
  const { accounts, clock, timeouts, readFile, readText } = options;
  const issuer = options.issuers[name];
  if (!issuer) throw new AcmeError('Unsupported', `the inventory has no issuer "${name}"`);
  const { directory, caBundle } = issuer;
  const ca = typeof caBundle === 'object' ? await readFile(caBundle.file) : caBundle;
  const transport = new Transport(directory, { clock, timeouts, ca });
  return { name, directory, issuer, transport, accountSecret: accounts.secretOf(directory), readText };
}

async function connect(
  endpoint: IssuerEndpoint,
  options: AuthorityOptions,
  signal: AbortSignal,
): Promise<Connected> {
  const { issuer, transport } = endpoint;
  const { clock, log } = options;
  const account = await readAccount(endpoint, options, signal);
  const key = readAccountKey(account.key);
  const registerAgain = (during: AbortSignal) => registerAndKeep({ account, key }, endpoint, options, during);
  const url = account.url ?? (await registerAgain(signal));
  const session = new Session(url, { registrant: endpoint, key, registerAgain });
  if (account.url !== undefined && account.contact.join() !== issuer.contact.join()) {
    await updateContact({ account, session }, endpoint, options, signal);
  }
  const print = thumbprint(key);
  const authority = openAuthority({ issuer, transport, session, thumbprint: print, clock, log });
  return { authority, session, thumbprint: print };
}

/** The stored account; a new key is stored if there is none. Finishes an interrupted exchange of keys
 *  first. */
async function readAccount(
  endpoint: IssuerEndpoint,
  options: AuthorityOptions,
  signal: AbortSignal,
): Promise<AcmeAccount> {
  const { directory, transport } = endpoint;
  const { accounts, log } = options;
  const stored =
    (await accounts.read(directory, signal)) ??
    (await accounts.create(directory, { key: makeAccountKey(), contact: [] }, signal));
  const checked = await replaceForeignUrl(stored, endpoint, options, signal);
  if (checked.nextKey === undefined) return checked;
  const account = await finishRollover(checked, { directory, transport, accounts }, signal);
  log.info('account key exchanged', { directory, account: account.url });
  return account;
}

/** The stored account. If its URL is of an origin that is not the CA's, asks the CA for the URL of the key
 *  and stores it; it is `undefined` if the CA does not know the key. */
async function replaceForeignUrl(
  stored: AcmeAccount,
  { directory, transport, accountSecret }: IssuerEndpoint,
  { accounts, log }: AuthorityOptions,
  signal: AbortSignal,
): Promise<AcmeAccount> {
  const problem = await problemOf(stored.url, directory, transport, signal);
  if (problem === undefined) return stored;
  log.error('account URL ignored', { directory, secret: accountSecret, problem });
  const url = await findAccount(readAccountKey(stored.key), transport, signal);
  const account = { ...stored, url };
  await accounts.update(directory, account, signal);
  return account;
}

/** Why an account URL cannot be the CA's. `undefined` if it can, or if `url` is `undefined`. Reads the
 *  directory only if the URL is of another origin than the directory. */
async function problemOf(
  url: string | undefined,
  directory: string,
  transport: Transport,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (url === undefined || URL.parse(url)?.origin === new URL(directory).origin) return undefined;
  const origins = await transport.origins(signal);
  try {
    origins.resolve(url, directory);
    return undefined;
  } catch (error) {
    if (error instanceof AcmeError) return error.message;
    throw error;
  }
}

async function registerAndKeep(
  { account, key }: { readonly account: AcmeAccount; readonly key: KeyObject },
  endpoint: IssuerEndpoint,
  { accounts, log }: AuthorityOptions,
  signal: AbortSignal,
): Promise<string> {
  const { name, directory, issuer } = endpoint;
  const url = await registerAccount(key, endpoint, signal);
  await accounts.update(directory, { ...account, url, contact: issuer.contact }, signal);
  log.info('account registered', { issuer: name, directory, account: url, before: account.url });
  return url;
}

/** Sends the inventory's contact to the CA (RFC 8555 §7.3.2) and stores it. */
async function updateContact(
  { account, session }: { readonly account: AcmeAccount; readonly session: Session },
  { name, directory, issuer: { contact } }: IssuerEndpoint,
  { accounts, log }: AuthorityOptions,
  signal: AbortSignal,
): Promise<void> {
  await session.change({ contact }, signal);
  await accounts.update(directory, { ...account, url: session.accountUrl, contact }, signal);
  log.info('account contact updated', { issuer: name, directory });
}
