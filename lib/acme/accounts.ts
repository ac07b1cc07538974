// One ACME account per directory URL, made once and kept (RFC 8555 §7.3).
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import AcmeApi from 'acme-client/src/api.js';
import type { IssuerSpec } from '../certificate/spec.ts';
import { AcmeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Account, AccountStore, Clock, ConnectAuthority } from '../ports.ts';
import { openAuthority, readAccountKey } from './authority.ts';
import { Transport } from './transport.ts';

export interface AuthorityOptions {
  readonly issuers: Readonly<Record<string, IssuerSpec>>;
  readonly accounts: AccountStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads a `caBundle: { file }`. */
  readonly readFile: (path: string) => Promise<string>;
}

/** Connects to an issuer's CA; the same issuer twice in one run is one connection and one account. The key is stored
 *  before the CA hears of it, so a crash never loses an account. @throws AcmeError. */
export function createAuthorities(options: AuthorityOptions): {
  readonly connect: ConnectAuthority;
  /** Closes every connection. */
  close(): Promise<void>;
} {
  const open = new Map<string, ReturnType<ConnectAuthority>>();
  const transports: Transport[] = [];
  return {
    connect(issuer, signal) {
      const known = open.get(issuer);
      if (known) return known;
      const opening = connect(issuer, options, transports, signal);
      open.set(issuer, opening);
      opening.catch(() => open.delete(issuer));
      return opening;
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()));
    },
  };
}

async function connect(
  name: string,
  options: AuthorityOptions,
  transports: Transport[],
  signal: AbortSignal,
): ReturnType<ConnectAuthority> {
  const issuer = options.issuers[name];
  if (!issuer) throw new AcmeError('Unsupported', `the inventory has no issuer "${name}"`);
  const { directory, caBundle } = issuer;
  const ca = typeof caBundle === 'object' ? await options.readFile(caBundle.file) : caBundle;
  const transport = new Transport(directory, options.clock, ca);
  transports.push(transport);
  const account =
    (await options.accounts.read(directory, signal)) ??
    (await options.accounts.create(directory, { key: newAccountKey(), contact: [] }, signal));
  const key = readAccountKey(account.key);
  const api = (url?: string) => new AcmeApi(transport.signed(transport.signer(key), signal), url);
  const keep = async (url: string): Promise<void> => {
    const kept: Account = { key: account.key, url, contact: issuer.contact };
    await options.accounts.update(directory, kept, signal);
  };

  if (account.url === undefined) {
    const url = await register(api(), issuer, transport, signal);
    await keep(url);
    options.log.info('account registered', { issuer: name, directory, account: url });
    return openAuthority({ transport, clock: options.clock, directory }, key, url);
  }
  if (account.contact.join() !== issuer.contact.join()) {
    await api(account.url).updateAccount({ contact: issuer.contact });
    await keep(account.url);
    options.log.info('account contact updated', { issuer: name, directory });
  }
  return openAuthority({ transport, clock: options.clock, directory }, key, account.url);
}

/** newAccount; for a key that the CA knows already it answers 200 and the account's URL (§7.3.1). */
async function register(
  api: AcmeApi,
  issuer: IssuerSpec,
  transport: Transport,
  signal: AbortSignal,
): Promise<string> {
  const { meta } = await transport.directory(signal);
  if (meta?.externalAccountRequired) {
    throw new AcmeError(
      'Unsupported',
      `${issuer.directory} asks for external account binding, which this version does not do`,
    );
  }
  const { headers } = await api.createAccount({
    termsOfServiceAgreed: issuer.agreeToTerms,
    ...(issuer.contact.length > 0 ? { contact: issuer.contact } : {}),
  });
  const url = headers.location;
  if (url === undefined || !URL.canParse(url))
    throw new AcmeError('Malformed', 'the CA made an account but did not say its URL');
  return url;
}

function newAccountKey(): string {
  const { privateKey }: { privateKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
