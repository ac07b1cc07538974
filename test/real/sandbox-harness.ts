// The sandbox with a real CA in place of its own, and what tests of single runs ask it.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { type CertificateFacts, readCertificate } from '../../lib/certificate/x509.ts';
import { decodeState } from '../../lib/state/codec/tags.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { nameServers } from '../sandbox/dns/server.ts';
import type { InvokeResult } from '../sandbox/lambda/server.ts';
import { prefix, type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/sandbox.ts';

/** Public suffix of every domain; a CA asks for CAA up to it (RFC 8659 §3). */
const suffix = 'net';

export class SandboxHarness {
  readonly sandbox: Sandbox;
  readonly #certificates: object[] = [];

  /** @param options `dnsPort` is where the CA asks DNS. */
  static async start(
    options: SandboxOptions & Required<Pick<SandboxOptions, 'realAuthority' | 'dnsPort'>>,
  ): Promise<SandboxHarness> {
    const sandbox = await startSandbox({ zones: [], ...options });
    const servers = nameServers.map((data) => ({ name: `${suffix}.`, type: 'NS' as const, data }));
    sandbox.dns.serve(() => [fixedZone(`${suffix}.`, servers)]);
    return new SandboxHarness(sandbox);
  }

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  /** A certificate of the inventory from now on, for a registered domain that has its hosted zone in Route
   *  53. */
  async want(name: string, spec: object = {}, domain = newDomain()): Promise<string> {
    this.sandbox.route53.createZone(domain);
    this.#certificates.push({ name, domains: [domain], ...spec });
    await this.sandbox.setCertificates(this.#certificates);
    return domain;
  }

  /** More issuers in the inventory, beside `default` and with its CA. To be called once no certificate is
   *  added any more. */
  async addIssuers(issuers: Readonly<Record<string, object>>): Promise<void> {
    const { inventoryPath } = this.sandbox;
    const inventory = Object(parse(await readFile(inventoryPath, 'utf8')));
    const plain = inventory.issuers.default;
    const all = Object.fromEntries(
      Object.entries(issuers).map(([name, fields]) => [name, { ...plain, ...fields }]),
    );
    await writeFile(inventoryPath, stringify({ ...inventory, issuers: { ...inventory.issuers, ...all } }));
  }

  issue(name: string, event: object = {}, options: { readonly remainingMs?: number } = {}) {
    return this.sandbox.lambda.invoke('issue', { certificates: [name], ...event }, options);
  }

  /** What the tags of a certificate say. */
  state(name: string): CertificateState {
    return decodeState(this.#secret(name).tags);
  }

  /** As time would: the CA is asked again about the certificate at the next pass. */
  forgetAsking(name: string): void {
    this.#secret(name).setTags([['certrelay:askAfter', '']]);
  }

  /** The certificate in use. */
  held(name: string): CertificateFacts {
    return readCertificate(this.chain(name));
  }

  /** PEM of the certificate in use and what is above it. */
  chain(name: string): string {
    const { versions, labels } = this.#secret(name);
    const text = versions.get(labels.get('AWSCURRENT') ?? '')?.value.text;
    return String(Object(JSON.parse(text ?? '{}'))['tls.crt']);
  }

  /** Changes of record sets that functions made so far. */
  get changes(): number {
    return this.sandbox.journal.find({ action: 'ChangeResourceRecordSets' }).length;
  }

  txtSets(domain: string): readonly unknown[] {
    return this.sandbox.route53.list(domain).filter(({ type }) => type === 'TXT');
  }

  stop(): Promise<void> {
    return this.sandbox.stop();
  }

  #secret(name: string) {
    return this.sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/${name}`);
  }
}

/** Rate limits and reused authorizations go by registered domain, so no two tests share one. */
export function newDomain(): string {
  return `harness-${randomBytes(6).toString('hex')}.${suffix}`;
}

/** Lines of that event in what an invocation wrote. */
export function logged({ log }: InvokeResult, event: string): readonly Readonly<Record<string, unknown>>[] {
  return log
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => Object(JSON.parse(line)))
    .filter(({ message }) => message === event);
}
