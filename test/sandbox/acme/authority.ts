// The sandbox's certificate authority: RFC 8555 as strict as Let's Encrypt, and certificates that really
// verify.
import { type Surroundings, serve } from '../http-server.ts';
import { mintServingCertificate } from '../tls.ts';
import { Accounts } from './accounts.ts';
import { Authorizations } from './authorizations.ts';
import { Certificates } from './certificates.ts';
import { Front } from './front.ts';
import { mintHierarchy } from './hierarchy.ts';
import { type OrderLine, Orders } from './orders.ts';
import { createResolver } from './resolver.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { Urls } from './urls.ts';
import { createValidation } from './validation.ts';

/** How the CA starts; every setting may be given, and changed later. */
export interface AuthorityOptions extends Partial<Settings> {
  /** DNS servers that validation asks, `127.0.0.1:port` each. */
  readonly resolve: { readonly servers: readonly string[] };
}

/** A running CA. */
export interface Authority {
  /** URL of the directory. */
  readonly directory: string;
  /** PEM of the authority behind its HTTPS certificate: an issuer's `caBundle`. */
  readonly caPem: string;
  /** May be changed at any time. */
  readonly settings: Settings;
  /** PEM of the roots that issued certificates verify under. */
  roots(): string;
  /** Every order that was made, oldest first. */
  orders(): readonly OrderLine[];
  /** How many accounts were registered. */
  accounts(): number;
  /** Every account key is unknown from now on, as after a loss at the CA. */
  forgetAccounts(): void;
  /** Every account is deactivated: each further request is `unauthorized`. */
  deactivateAccounts(): void;
  /** The renewal window of this certificate (PEM, leaf first) is moved to the past (RFC 9773 §4.2). */
  renewNow(certificate: string, explanationURL?: string): void;
  /** TLS connections accepted so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** Starts a CA on a free port of 127.0.0.1 with new roots and no accounts. */
export async function startAuthority(
  options: AuthorityOptions,
  surroundings: Surroundings,
): Promise<Authority> {
  const { resolve, ...given } = options;
  const settings: Settings = { ...defaultSettings(), ...given };
  const [tls, hierarchy] = await Promise.all([mintServingCertificate('Sandbox ACME'), mintHierarchy()]);
  const urls = new Urls();
  const accounts = new Accounts(settings, urls);
  const certificates = new Certificates(hierarchy, settings, urls);
  const validate = createValidation(createResolver(resolve.servers), settings, urls);
  const authorizations = new Authorizations(settings, urls, validate);
  const orders = new Orders({ settings, urls, accounts, authorizations, certificates });
  const front = new Front({ settings, urls, accounts, authorizations, certificates, orders });
  const server = await serve(front, surroundings, tls);
  urls.base = server.url;
  return {
    directory: urls.directory,
    caPem: tls.ca,
    settings,
    roots: () => hierarchy.roots,
    orders: () => orders.list(),
    accounts: () => accounts.size,
    forgetAccounts: () => accounts.forget(),
    deactivateAccounts: () => accounts.deactivate(),
    renewNow: (certificate, explanationURL) => certificates.renewNow(certificate, explanationURL),
    connections: () => server.connections(),
    stop: () => server.stop(),
  };
}
