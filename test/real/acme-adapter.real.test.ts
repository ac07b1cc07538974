// The CA adapter with real CAs: bound accounts, keys exchanged, windows, replacements, chains, refused
// nonces.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthorities } from '../../lib/adapters/acme/accounts.ts';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import { certificateId, readCertificate } from '../../lib/certificate/x509.ts';
import { failure, issueCertificate, signal } from '../acme/harness.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { realClock } from '../fakes/clock.ts';
import { type DnsStub, startDnsStub } from '../fakes/dns-server.ts';
import { FakeLog } from '../fakes/log.ts';
import { locateBoulder } from './parts/boulder.ts';
import { locate } from './parts/locate.ts';
import { type Pebble, startPebble, strictPebble } from './parts/pebble.ts';
import { requestOk } from './parts/request.ts';

/** A CA with an account of its own for each test. */
interface Subject {
  readonly directory: string;
  readonly caPem: string;
  /** PEM of the roots, the default chain's first. */
  readonly roots: readonly string[];
  readonly eab?: { readonly kid: string; readonly hmacKey: string };
  readonly pebble?: Pebble;
  readonly setTxt: (name: string, values: readonly string[]) => void | Promise<void>;
  readonly stop: () => Promise<void>;
}

async function startPebbleSubject(): Promise<Subject> {
  const dns: DnsStub = await startDnsStub();
  const eab = { kid: 'customer-7', hmacKey: randomBytes(32).toString('base64url') };
  const pebble = await startPebble(strictPebble(dns.address, eab));
  return {
    directory: pebble.directory,
    caPem: await readFile(pebble.caFile, 'utf8'),
    roots: await pebble.roots(),
    eab,
    pebble,
    setTxt: dns.setTxt,
    stop: async () => {
      await pebble.stop();
      await dns.stop();
    },
  };
}

const boulder = locateBoulder();
const { BOULDER_ROOTS: rootFiles, BOULDER_ZONE_CONTROL: control } = process.env;

async function describeBoulder(): Promise<Subject> {
  if (!boulder || !rootFiles || !control) throw new Error('there is no Boulder');
  const tell = async (action: string, body: object) => {
    const { ok, status } = await fetch(`${control}/${action}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!ok) throw new Error(`the zone server answered ${status}`);
  };
  return {
    directory: boulder.directory,
    caPem: await readFile(boulder.caFile, 'utf8'),
    roots: await Promise.all(rootFiles.split(':').map((file) => readFile(file, 'utf8'))),
    setTxt: async (name, values) => {
      await tell('clear-txt', { host: `${name}.` });
      for (const value of values) await tell('set-txt', { host: `${name}.`, value });
    },
    stop: () => Promise.resolve(),
  };
}

describeAdapter(
  'a Pebble that binds accounts and refuses one nonce in five',
  startPebbleSubject,
  locate('pebble') ? undefined : 'run test/real/install pebble',
);
describeAdapter(
  'Boulder',
  describeBoulder,
  boulder && rootFiles && control
    ? undefined
    : 'set BOULDER_DIRECTORY, BOULDER_DIRECTORY_CA, BOULDER_ROOTS and BOULDER_ZONE_CONTROL',
);

/** @param lacks What to do first; the suite is skipped with that in its title. */
function describeAdapter(name: string, start: () => Promise<Subject>, lacks: string | undefined): void {
  const title = `the CA adapter with ${name}${lacks === undefined ? '' : `: ${lacks}`}`;
  describe.skipIf(lacks !== undefined)(title, () => {
    let ca: Subject;
    const accounts = new MemoryAccounts();
    const log = new FakeLog();
    const closers: (() => Promise<void>)[] = [];
    const domain = `adapter-${randomBytes(6).toString('hex')}.org`;
    const domains = [domain, `*.${domain}`];
    beforeAll(async () => {
      ca = await start();
    });
    afterAll(async () => {
      for (const close of closers) await close();
      await ca?.stop();
    });

    /** One run. */
    function open(change: Partial<IssuerSpec> = {}) {
      const { directory, caPem, eab } = ca;
      const binding = eab ? { eab: { secret: 'certrelay/eab/real' } } : {};
      const issuer = {
        directory,
        caBundle: caPem,
        contact: [],
        agreeToTerms: true,
        ...binding,
        ...change,
      } as const;
      const readText = async () => JSON.stringify(eab);
      const authorities = createAuthorities({
        issuers: { default: issuer },
        accounts,
        clock: realClock,
        log,
        readFile: async () => caPem,
        readText,
      });
      closers.push(() => authorities.close());
      return authorities;
    }
    const connect = (change: Partial<IssuerSpec> = {}) => open(change).connect('default', signal);
    async function issue(change: Partial<IssuerSpec> = {}, replaces?: string) {
      const authority = await connect(change);
      const { profile } = change;
      const { chain, key } = await issueCertificate(authority, { domains, profile, replaces }, ca.setTxt);
      expect(verifyBundle({ chain, key, domains })).toMatchObject({ ok: true });
      const facts = readCertificate(chain);
      return { authority, chain, facts, id: certificateId(facts) ?? '' };
    }
    /** Pebble finds no certificate to replace whose serial number has a 00 before it in DER: one in 256. */
    async function issueReplaceable(): ReturnType<typeof issue> {
      const issued = await issue();
      return issued.facts.serial.startsWith('00') ? issueReplaceable() : issued;
    }
    const warnings = () => log.lines.filter(({ level }) => level === 'warn').map(({ event }) => event);

    test('an account is made once, and its key exchanged; what was issued before can be replaced with the new one', async () => {
      const { id } = await issueReplaceable();
      await open().accountKeys.exchange('default', signal);
      await issue({}, id);
      expect(accounts.kept.size).toBe(1);
      expect(warnings()).toEqual([]);
    });

    test('a certificate that was replaced already, or is not known, does not cost the renewal', async () => {
      const { id } = await issueReplaceable();
      await issue({}, id);
      await issue({}, id);
      await issue({}, `${id.split('.')[0]}.AAEC`);
      await issue({}, 'AAAA.AAEC');
      expect(warnings()).toHaveLength(3);
      log.lines.length = 0;
    });

    test('the window lies in the lifetime, and a certificate of no CA has none', async () => {
      const { authority, facts, id } = await issue();
      const info = await authority.renewalInfo(id, signal);
      expect(Number(info?.start)).toBeGreaterThan(facts.notBefore.getTime());
      expect(Number(info?.end)).toBeLessThan(facts.notAfter.getTime());
      expect(info?.retryAfterMs).toBeGreaterThan(3_600_000);
      expect(await authority.renewalInfo('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE', signal)).toBeUndefined();
    });

    const isPebble = start === startPebbleSubject;
    if (isPebble)
      test('the window that Pebble is told comes with its explanation, and nonsense is no window', async () => {
        const { pebble, caPem } = ca;
        const { authority, chain, id } = await issue();
        const tell = async (answer: string) => {
          const [certificate] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
          const url = `${pebble?.managementUrl}/set-renewal-info/`;
          await requestOk(url, { ca: caPem, json: { certificate, ariResponse: answer } });
          return authority.renewalInfo(id, signal);
        };
        const suggestedWindow = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
        const explanationURL = 'https://ca.example.com/incident/7';
        expect(await tell(JSON.stringify({ suggestedWindow, explanationURL }))).toEqual({
          start: new Date(suggestedWindow.start),
          end: new Date(suggestedWindow.end),
          explanationUrl: explanationURL,
          retryAfterMs: 6 * 3_600_000,
        });
        expect(await tell('not JSON')).toBeUndefined();
      });

    test('a root is preferred, and a chain under it comes, or the default with a warning', async () => {
      const names = ca.roots.map((root) => readCertificate(root).commonName ?? '');
      const reached = new Set<string | undefined>();
      for (const preferredChain of names) {
        const before = warnings().length;
        const { chain } = await issue({ preferredChain });
        const top = chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)?.at(-1) ?? '';
        const { issuer } = readCertificate(top);
        expect(issuer === preferredChain).toBe(warnings().length === before);
        reached.add(issuer);
      }
      expect(reached.size).toBeGreaterThan(1);
    });

    test('a profile is ordered under, and one that is not offered is refused with those that are', async () => {
      const { facts } = await issue({ profile: 'shortlived' });
      expect(facts.notAfter.getTime() - facts.notBefore.getTime()).toBeLessThan(7 * 86_400_000);
      const error = await failure((await connect()).newOrder({ domains, profile: 'gold' }, signal));
      expect(error.message).toMatch(/it offers .*shortlived/);
    });
  });
}
