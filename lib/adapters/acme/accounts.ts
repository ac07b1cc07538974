// One ACME account per directory URL, made once and kept (RFC 8555 §7.3).
import type { KeyObject } from 'node:crypto';
import { Memory } from '../../async/memo.ts';
import type { IssuerSpec } from '../../certificate/spec.ts';
import type { Account, AccountStore } from '../../ports/accounts.ts';
import {
  AcmeError,
  type CertificateAuthority,
  type ConnectAuthority,
  type DescribeAuthority,
} from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { readAccountKey, thumbprint } from './account-key.ts';
import { openAuthority } from './authority.ts';
import type { Timeouts } from './exchange.ts';
import { finishRollover, rollOver } from './key-rollover.ts';
import { findAccount, makeAccountKey, type Registrant, registerAccount } from './registration.ts';
import { Session } from './session.ts';
import { Transport } from './transport.ts';

export interface AuthorityOptions {
  readonly issuers: Readonly<Record<string, IssuerSpec>>;
  readonly accounts: AccountStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads a `caBundle: { file }`. */
  readonly readFile: (path: string) => Promise<string>;
  /** Reads the AWS secret of an `eab`. */
  readonly readText: (secret: string, signal: AbortSignal) => Promise<string>;
  /** How long a CA may take; absent: as long as CAs ordinarily may. */
  readonly timeouts?: Timeouts;
}

export interface Authorities {
  /** The same issuer twice in one run is one connection and one account. The account's key is stored before the CA hears of
   *  it, so a crash never loses an account. @throws AcmeError. */
  readonly connect: ConnectAuthority;
  /** Makes no account. Asks the CA for its directory alone. @throws AcmeError. */
  readonly describe: DescribeAuthority;
  /** Gives the account at an issuer's CA a new key (RFC 8555 §7.3.5). The new key is stored before the CA hears of it; where
   *  a crash or an error interrupts, calling again goes on, and so does `connect`. To be called while no order is open: the
   *  TXT values of an open order belong to the old key. @throws AcmeError `Unsupported` where there is no account yet, or
   *  the CA does not exchange keys. */
  rollAccountKey(issuer: string, signal: AbortSignal): Promise<void>;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** Connections to the CAs of an inventory, each opened when it is asked for. */
export function createAuthorities(options: AuthorityOptions): Authorities {
  const open = new Memory<Connected>();
  const endpoints = new Memory<IssuerEndpoint>();
  const transports: Transport[] = [];
  const reach = (name: string) =>
    endpoints.recall(name, async () => {
      const endpoint = await reachIssuer(name, options);
      transports.push(endpoint.transport);
      return endpoint;
    });
  return {
    connect: async (name, signal) =>
      (await open.recall(name, async () => connect(await reach(name), options, signal))).authority,
    async describe(name, signal) {
      const { directory, issuer, transport } = await reach(name);
      const { meta } = await transport.directory(signal);
      const session = (await open.known(name))?.session;
      const kept = session?.accountUrl ?? (await options.accounts.read(directory, signal))?.url;
      const accountUrl =
        (await problemOf(kept, directory, transport, signal)) === undefined ? kept : undefined;
      // dns-01 is what is left where the CA does not offer the one that is wanted.
      const methods =
        issuer.challenge === 'dns-persist-01' ? ([issuer.challenge, 'dns-01'] as const) : undefined;
      const identities = meta?.caaIdentities ?? issuer.caaIdentity ?? [];
      return { identities, accountUrl, ...(methods ? { methods } : {}) };
    },
    async rollAccountKey(name, signal) {
      const { directory, transport } = await reach(name);
      await rollOver({ directory, transport, accounts: options.accounts }, signal);
      options.log.info('account key exchanged', { issuer: name, directory });
      open.forget(name);
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()));
    },
  };
}

/** An issuer that can be talked to. */
interface IssuerEndpoint extends Registrant {
  readonly name: string;
  readonly directory: string;
}

/** An issuer with its account. */
interface Connected {
  readonly authority: CertificateAuthority;
  readonly session: Session;
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
  const registerAgain = (during: AbortSignal) => registerAndKeep(account, key, endpoint, options, during);
  const url = account.url ?? (await registerAgain(signal));
  const session = new Session(url, { registrant: endpoint, key, registerAgain });
  if (account.url !== undefined && account.contact.join() !== issuer.contact.join()) {
    await tellContact(account, session, endpoint, options, signal);
  }
  const authority = openAuthority({ issuer, transport, session, thumbprint: thumbprint(key), clock, log });
  return { authority, session };
}

/** The account that is kept, with one key: an exchange of keys that was interrupted is ended first. */
async function readAccount(
  endpoint: IssuerEndpoint,
  options: AuthorityOptions,
  signal: AbortSignal,
): Promise<Account> {
  const { directory, transport } = endpoint;
  const { accounts, log } = options;
  const stored =
    (await accounts.read(directory, signal)) ??
    (await accounts.create(directory, { key: makeAccountKey(), contact: [] }, signal));
  const kept = await withOwnUrl(stored, endpoint, options, signal);
  if (kept.nextKey === undefined) return kept;
  const account = await finishRollover(kept, { directory, transport, accounts }, signal);
  log.info('account key exchanged', { directory, account: account.url });
  return account;
}

/** The account as it is stored; if its URL is not the CA's, with the URL that the CA has for the key, if any. */
async function withOwnUrl(
  stored: Account,
  { directory, transport, accountSecret }: IssuerEndpoint,
  { accounts, log }: AuthorityOptions,
  signal: AbortSignal,
): Promise<Account> {
  const problem = await problemOf(stored.url, directory, transport, signal);
  if (problem === undefined) return stored;
  log.error('account URL ignored', { directory, secret: accountSecret, problem });
  const url = await findAccount(readAccountKey(stored.key), transport, signal);
  const account = { ...stored, url };
  await accounts.update(directory, account, signal);
  return account;
}

/** Why an account URL is not the CA's; `undefined` if it is, or if there is none. The directory is asked only if it is on
 *  another origin than the URL. */
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
  account: Account,
  key: KeyObject,
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

/** RFC 8555 §7.3.2. */
async function tellContact(
  account: Account,
  session: Session,
  { name, directory, issuer: { contact } }: IssuerEndpoint,
  { accounts, log }: AuthorityOptions,
  signal: AbortSignal,
): Promise<void> {
  await session.change({ contact }, signal);
  await accounts.update(directory, { ...account, url: session.accountUrl, contact }, signal);
  log.info('account contact updated', { issuer: name, directory });
}
