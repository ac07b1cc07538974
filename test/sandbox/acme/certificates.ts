// Certificates that the CA issued: download, revocation and renewal information.
import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { Account } from './accounts.ts';
import type { SigningRequest } from './csr.ts';
import type { Hierarchy, Leaf } from './hierarchy.ts';
import { type PublicKey, thumbprintOf } from './jws.ts';
import { malformed, notFound, Problem, unauthorized } from './problem.ts';
import { expectEmpty, json, parsePayload, type Reply } from './reply.ts';
import type { RenewalWindow, Settings } from './settings.ts';
import type { Urls } from './urls.ts';

/** An issued certificate and what became of it. */
export interface Certificate extends Leaf {
  readonly account: Account;
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  revoked: boolean;
  /** Status of the order that replaces it, where one was made (RFC 9773 §5). */
  replacement?: () => string;
}

const revocation = z.object({ certificate: z.string(), reason: z.number().optional() });

/** Reasons a subscriber may give: unspecified, keyCompromise, affiliationChanged, superseded,
 *  cessationOfOperation. */
const reasons = [0, 1, 3, 4, 5];
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** All certificates that the CA issued, by serial. */
export class Certificates {
  readonly #bySerial = new Map<string, Certificate>();
  readonly #hierarchy: Hierarchy;
  readonly #settings: Settings;
  readonly #urls: Urls;

  constructor(hierarchy: Hierarchy, settings: Settings, urls: Urls) {
    this.#hierarchy = hierarchy;
    this.#settings = settings;
    this.#urls = urls;
  }

  issue(
    account: Account,
    request: SigningRequest,
    profile: { readonly lifetimeMs: number; readonly commonName: boolean },
  ): Certificate {
    // Backdated by an hour for clocks that are behind, as public CAs do; the lifetime counts from there.
    const notBefore = new Date(
      Math.floor(Date.now() / 1000) * 1000 - Math.min(hourMs, profile.lifetimeMs / 2),
    );
    const notAfter = new Date(notBefore.getTime() + profile.lifetimeMs - 1000);
    const { publicKey } = request;
    const names = [...request.names, ...(this.#settings.addNames?.(request.names) ?? [])];
    const candidates = [request.commonName, ...names].filter((name) => name !== undefined);
    const commonName = profile.commonName ? candidates.find((name) => name.length <= 64) : undefined;
    const leaf = this.#hierarchy.issue({ names, commonName, publicKey, notBefore, notAfter });
    const certificate = { ...leaf, account, names, notBefore, notAfter, revoked: false };
    this.#bySerial.set(leaf.serial, certificate);
    return certificate;
  }

  /** The PEM chain, with links to the alternate ones (RFC 8555 §7.4.2). */
  download(account: Account, serial: string, chain: string | undefined, payload: Buffer): Reply {
    expectEmpty(payload);
    const certificate = this.#find(serial);
    if (certificate.account !== account) throw unauthorized('the certificate is of another account');
    const chosen = Number(chain ?? 0);
    const body = certificate.chains[chosen];
    if (body === undefined) throw notFound('the certificate has no such chain');
    const links = certificate.chains.flatMap((_, index) =>
      index === chosen ? [] : [`<${this.#urls.certificate(serial, index)}>;rel="alternate"`],
    );
    return {
      status: 200,
      headers: { 'content-type': 'application/pem-certificate-chain', link: links },
      body: this.#settings.bendChain?.(body.split(/(?<=-----END CERTIFICATE-----\n)/)).join('') ?? body,
    };
  }

  /** revokeCert, signed by the account that it was issued to, or with its own key (RFC 8555 §7.6). */
  revoke(by: Account | PublicKey, payload: Buffer): Reply {
    const { certificate: encoded, reason = 0 } = parsePayload(revocation, payload);
    const der = Buffer.from(encoded, 'base64url');
    const certificate = [...this.#bySerial.values()].find((one) => one.der.equals(der));
    if (!certificate) throw notFound('this CA did not issue the certificate');
    if ('thumbprint' in by && thumbprintOf(new X509Certificate(der).publicKey) !== by.thumbprint)
      throw unauthorized('the certificate is of another key');
    if (!('thumbprint' in by) && certificate.account !== by)
      throw unauthorized('the certificate is of another account');
    if (!reasons.includes(reason)) {
      throw new Problem('badRevocationReason', 400, `reason ${reason} is not one of ${reasons.join(', ')}`);
    }
    if (certificate.revoked) throw new Problem('alreadyRevoked', 400, 'the certificate is revoked already');
    certificate.revoked = true;
    return { status: 200 };
  }

  /** renewalInfo, asked without a signature (RFC 9773 §4). */
  renewalInfo(certId: string): Reply {
    const { start, end, explanationURL } = this.#windowOf(this.#findByCertId(certId));
    const body = {
      suggestedWindow: { start: toSeconds(start), end: toSeconds(end) },
      ...(explanationURL !== undefined && { explanationURL }),
    };
    return json(200, body, { 'retry-after': '21600' });
  }

  /** The certificate that a new order's `replaces` names (RFC 9773 §5).
   *  @throws Problem `malformed`, `unauthorized`, `alreadyReplaced` */
  checkReplacement(account: Account, names: readonly string[], certId: string): Certificate {
    const certificate = this.#findByCertId(certId);
    if (certificate.account !== account)
      throw unauthorized('the certificate to replace is of another account');
    if (!certificate.names.some((name) => names.includes(name))) {
      throw malformed('the order shares no name with the certificate that it replaces');
    }
    const status = certificate.replacement?.();
    if (status !== undefined && status !== 'invalid') {
      throw new Problem('alreadyReplaced', 409, 'another order replaces this certificate already');
    }
    return certificate;
  }

  /** Moves a certificate's window to the past; `pem` begins with it. */
  renewNow(pem: string, explanationURL: string | undefined): void {
    const { raw } = new X509Certificate(pem);
    const certificate = [...this.#bySerial.values()].find((one) => one.der.equals(raw));
    if (!certificate) throw new Error('this CA did not issue the certificate');
    const window = { start: new Date(Date.now() - 2 * hourMs), end: new Date(Date.now() - hourMs) };
    this.#settings.renewalWindows.set(certificate.serial, {
      ...window,
      ...(explanationURL !== undefined && { explanationURL }),
    });
  }

  #find(serial: string): Certificate {
    const certificate = this.#bySerial.get(serial);
    if (!certificate) throw notFound('there is no such certificate');
    return certificate;
  }

  #findByCertId(certId: string): Certificate {
    const [identifier, serial, ...rest] = certId.split('.');
    const wellFormed = /^[\w-]+\.[\w-]+$/.test(certId) && rest.length === 0;
    if (!wellFormed || serial === undefined) throw malformed(`"${certId}" is not a CertID`);
    const content = Buffer.from(serial, 'base64url');
    const [first = 0, second = 0] = content;
    // A serial whose first bit is set has a leading 00 in DER, which belongs to the CertID; no other may have
    // it.
    const isMinimal = first < 0x80 && (first !== 0 || second >= 0x80);
    const certificate = this.#bySerial.get(content.subarray(first === 0 ? 1 : 0).toString('hex'));
    if (!certificate || !isMinimal || certificate.authorityKeyIdentifier !== identifier) {
      throw notFound('this CA did not issue a certificate with this CertID');
    }
    return certificate;
  }

  #windowOf(certificate: Certificate): RenewalWindow {
    const set = this.#settings.renewalWindows.get(certificate.serial);
    if (set) return set;
    if (certificate.revoked) {
      return { start: new Date(Date.now() - hourMs), end: new Date(Date.now() - hourMs / 2) };
    }
    const lifetimeMs = certificate.notAfter.getTime() + 1000 - certificate.notBefore.getTime();
    const middle = certificate.notAfter.getTime() - lifetimeMs / (lifetimeMs < 10 * dayMs ? 2 : 3);
    return { start: new Date(middle - lifetimeMs / 100), end: new Date(middle + lifetimeMs / 100) };
  }
}

function toSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
