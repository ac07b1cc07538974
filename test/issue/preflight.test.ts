// The look at DNS before an order: what would fail it makes it wait, what may fail it is said, and neither
// costs an order.
import { beforeEach, describe, expect, it } from 'vitest';
import type { PreflightFacts } from '../../lib/policy/dns/preflight-facts.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const blog = specOf('blog', ['blog.example.net']);
const ours = 'https://ca.example/acct/1';

/** DNS in which every name is as it should be, but for the zones that are delegated elsewhere, and CAA for
 *  all names. */
class Dns {
  readonly elsewhere = new Set<string>();
  issue: string | undefined;
  silent = false;
  accountUrl: string | undefined = ours;
  /** As of an issuer with dns-persist-01, whose records are in a zone that is delegated elsewhere. */
  isLasting = false;
  /** `name about`. */
  readonly asked: string[] = [];

  readonly gather = async (
    domains: readonly string[],
    about: 'all' | 'lasting' | 'caa',
  ): Promise<PreflightFacts> => {
    this.asked.push(`${domains[0]} ${about}`);
    if (this.silent) throw new Error('no resolver');
    const caa =
      this.issue === undefined
        ? ({ kind: 'none' } as const)
        : ({
            kind: 'found',
            at: 'example.com',
            records: [{ flags: 0, tag: 'issue', value: this.issue }],
          } as const);
    return { names: domains.map((domain) => ({ domain, caa, ...this.#challenge(domain, about) })) };
  };

  readonly describe = async () => ({
    identities: ['ca.example'],
    accountUrl: this.accountUrl,
    ...(this.isLasting ? { methods: ['dns-persist-01', 'dns-01'] as const } : {}),
  });

  #challenge(domain: string, about: 'all' | 'lasting' | 'caa') {
    const recordName = `_acme-challenge.${domain.replace('*.', '')}`;
    if (about === 'caa')
      return { recordName, aliases: { kind: 'unasked' }, zone: { kind: 'unasked' } } as const;
    const name = domain.split('.').slice(-2).join('.');
    const live = [
      about === 'lasting' || this.elsewhere.has(name) ? 'ns.elsewhere.example' : 'ns.aws.example',
    ];
    const zone = { kind: 'found', id: 'Z1', name, delegationSet: ['ns.aws.example'], live } as const;
    return { recordName, aliases: { kind: 'ends', names: [recordName] }, zone } as const;
  }
}

let harness: Harness;
let dns: Dns;
function begin(...parameters: ConstructorParameters<typeof Harness>): void {
  harness = new Harness(...parameters);
  dns = new Dns();
  harness.preflight = dns;
}
beforeEach(() => begin([shop, blog]));
const lines = (event: string) => harness.log.lines.filter((line) => line.event === event);

describe('a certificate of which DNS would fail the order', () => {
  beforeEach(() => dns.elsewhere.add('example.com'));

  it('waits for a person and says which record to change, and others are ordered', async () => {
    const { report, failures } = await harness.run();
    expect(failures).toEqual([]);
    const [blogs, shops] = report.certificates;
    expect(blogs).toMatchObject({ name: 'blog', outcome: 'issued' });
    expect(shops).toMatchObject({ name: 'shop', decision: 'wait', reason: 'PreflightFailed' });
    expect(shops?.until).toBeUndefined();
    expect(shops?.message).toMatch(
      /^example\.com\. NS: DNS leads to ns\.elsewhere\.example .*; set the NS records of example\.com.*ns\.aws\.example; an order is due: no certificate is stored$/,
    );
    expect(harness.ca.count('newOrder')).toBe(1);
    // What holds it back is noted on its AWS secret, which its first order would make anyway.
    expect(harness.state('shop').problem).toMatchObject({ code: 'PreflightFailed', words: shops?.message });
    expect(await harness.current('shop')).toBeUndefined();
  });

  it('is told in the log as something that a person must look at', async () => {
    await harness.run();
    expect(lines('preflight failed')).toMatchObject([
      { level: 'error', fields: { certificate: 'shop', reason: 'PreflightFailed' } },
    ]);
  });

  it('is not sent on by the queue, which would ask again at once', async () => {
    await harness.run();
    expect(harness.sent).toEqual([]);
  });

  it('is ordered by the first pass that finds the record changed', async () => {
    await harness.run();
    await harness.run();
    dns.elsewhere.clear();
    expect((await harness.run({ certificates: ['shop'] })).report.summary).toMatchObject({ issued: 1 });
    expect(harness.ca.count('newOrder')).toBe(2);
  });

  it('is ordered where a person forces it, and the finding is a warning', async () => {
    const { report } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([{ outcome: 'issued', warnings: [/^example\.com\. NS: /] }]);
  });

  it('shows in a dry run, which makes no account and no line that rings an alarm', async () => {
    const { report } = await harness.run({ dryRun: true });
    expect(report.certificates.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'blog Missing',
      'shop PreflightFailed',
    ]);
    expect([harness.connected, harness.store.calls, lines('preflight failed')]).toEqual([0, ['list *'], []]);
  });

  it('takes nothing from the limits of the CA', async () => {
    const many = Array.from({ length: 50 }, (_, index) => specOf(`c${index}`, [`c${index}.example.com`]));
    begin([...many, specOf('last', ['z.example.com'])], {
      directory: 'https://acme-v02.api.letsencrypt.org/directory',
    });
    const { gather } = dns;
    Object.assign(dns, {
      gather: async (...question: Parameters<Dns['gather']>) => {
        dns.elsewhere.clear();
        if (question[0][0] !== 'z.example.com') dns.elsewhere.add('example.com');
        return gather(...question);
      },
    });
    const { report } = await harness.run();
    expect(report.summary).toMatchObject({ issued: 1, wait: 50 });
    expect(dns.asked).toHaveLength(51);
  });

  it('whose order is in flight is finished all the same', async () => {
    dns.elsewhere.clear();
    harness.ca.failures.next('finalize', new Error('the connection broke'));
    await harness.run({ certificates: ['shop'] });
    harness.clock.pass(16 * 60_000);
    dns.elsewhere.add('example.com');
    dns.asked.length = 0;
    expect((await harness.run({ certificates: ['shop'] })).report.certificates).toMatchObject([
      { reason: 'Resume', outcome: 'issued' },
    ]);
    expect(dns.asked).toEqual([]);
  });

  it('is ordered where the inventory wants no look', async () => {
    Object.assign(harness.inventory, { dns: { preflight: false } });
    expect((await harness.run()).report.summary).toMatchObject({ issued: 2 });
    expect(dns.asked).toEqual([]);
  });
});

describe('a persistent record that nobody would see', () => {
  beforeEach(() => {
    dns.isLasting = true;
  });

  it('is a warning where dns-01 works, because the CA may not offer the other', async () => {
    const { report } = await harness.run({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([{ outcome: 'issued', warnings: [/^example\.com\. NS: /] }]);
    expect(dns.asked).toEqual(['shop.example.com lasting', 'shop.example.com all']);
  });

  it('holds the order back where dns-01 would fail, too', async () => {
    dns.elsewhere.add('example.com');
    const { report } = await harness.run({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'PreflightFailed' }]);
  });

  it('is not looked for while the CA holds authorizations by dns-01', async () => {
    await harness.run({ certificates: ['shop'] });
    dns.asked.length = 0;
    dns.elsewhere.add('example.com');
    harness.clock.pass(29 * dayMs);
    const { report } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates[0]?.warnings).toBeUndefined();
    expect(dns.asked).toEqual(['shop.example.com caa']);
  });
});

describe('CAA', () => {
  it('that names another account holds back, with the URL of ours', async () => {
    dns.issue = 'ca.example; accounturi=https://ca.example/acct/2';
    const { report } = await harness.run({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([{ reason: 'PreflightFailed' }]);
    expect(report.certificates[0]?.message).toContain(`set accounturi=${ours}`);
  });

  it('that names an account is not judged in a dry run before there is ours', async () => {
    dns.issue = 'ca.example; accounturi=https://ca.example/acct/2';
    dns.accountUrl = undefined;
    const { report } = await harness.run({ dryRun: true, certificates: ['shop'] });
    expect(report.certificates).toMatchObject([{ decision: 'order' }]);
    expect(harness.connected).toBe(0);
  });

  it('is judged alone while the CA may still hold valid authorizations, and the rest with it afterwards', async () => {
    await harness.run({ certificates: ['shop'] });
    dns.elsewhere.add('example.com');
    harness.clock.pass(29 * dayMs);
    const early = await harness.run({ certificates: ['shop'], force: true });
    expect(early.report.certificates[0]?.warnings).toBeUndefined();
    harness.clock.pass(61 * dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([
      { name: 'blog' },
      { reason: 'PreflightFailed' },
    ]);
    expect(dns.asked.filter((question) => question.startsWith('shop'))).toEqual([
      'shop.example.com all',
      'shop.example.com caa',
      'shop.example.com all',
    ]);
  });
});

describe('what cannot be learned', () => {
  it('is a warning in log and report, and the order goes on', async () => {
    dns.silent = true;
    const { report } = await harness.run({ certificates: ['shop'] });
    const warning = 'DNS was not checked before the order: no resolver';
    expect(report.certificates).toMatchObject([{ outcome: 'issued', warnings: [warning] }]);
    expect(lines('preflight warned')).toMatchObject([{ level: 'warn', fields: { problem: warning } }]);
  });

  it('is a warning of a dry run, too, for a certificate that backs off, with the command that orders it', async () => {
    await harness.run({ certificates: ['shop'] });
    harness.clock.pass(89 * dayMs);
    const problem = { since: harness.clock.now(), code: 'Lookup', words: 'no resolver' };
    const nextAttempt = new Date(harness.clock.now().getTime() + dayMs);
    await harness.store.record('shop', { failures: 2, error: 'Lookup', nextAttempt, problem });
    dns.silent = true;
    const { report } = await harness.run({ dryRun: true, certificates: ['shop'] });
    expect(report.certificates).toMatchObject([
      {
        reason: 'BackingOff',
        until: nextAttempt,
        warnings: ['DNS was not checked before the order: no resolver'],
        message: expect.stringMatching(
          /^2 failed attempts, the last with Lookup \(no resolver\).*; to order it now, run: npx certrelay renew shop --force/,
        ),
      },
    ]);
  });

  it('in a quarter of the time is left, so that there is time for the order', async () => {
    const gather = (_: readonly string[], __: string, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        harness.clock.pass(5_999);
        expect(signal.aborted).toBe(false);
        harness.clock.pass(1);
      });
    Object.assign(dns, { gather });
    const workUntil = new Date(harness.clock.now().getTime() + 24_000);
    const { report } = await harness.run({ certificates: ['shop'] }, { workUntil });
    expect(report.certificates).toMatchObject([
      { outcome: 'issued', warnings: [expect.stringContaining('it took too long')] },
    ]);
  });
});

it('a certificate that a person has paused is not sent on by the queue', async () => {
  await harness.run({ certificates: ['shop'] });
  await harness.store.record('shop', { pausedSince: harness.clock.now() });
  harness.clock.pass(89 * dayMs);
  const { report } = await harness.run({ certificates: ['shop'] });
  expect(report.certificates).toMatchObject([{ reason: 'Paused' }]);
  expect(harness.sent).toEqual([]);
});
