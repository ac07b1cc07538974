// What a call answers where something is wrong: as a person reads it, and as a program does.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const shop = {
  name: 'shop',
  domains: ['shop.example.com'],
  targets: [{ cluster: 'lab', namespace: 'shop', secret: 'shop-tls' }],
};

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    namespaces: ['shop'],
    certificates: [shop, { name: 'nozone', domains: ['www.elsewhere.net'] }],
  });
  const ns = { name: 'elsewhere.net.', type: 'NS' as const, data: 'ns1.elsewhere.net' };
  sandbox.dns.serve(() => [fixedZone('elsewhere.net.', [ns])]);
});
afterAll(() => sandbox.stop());

/** What is written of our systems, by anybody. */
const written = () =>
  sandbox.journal.count({ action: 'newOrder' }) +
  sandbox.journal.count({ action: 'CreateSecret' }) +
  sandbox.journal.count({ action: 'PutSecretValue' }) +
  sandbox.journal.count({ action: 'TagResource' });

describe('a dry run of issue where no order could succeed', () => {
  async function rehearse(...certificates: readonly string[]) {
    const before = written();
    const { answer } = await sandbox.lambda.invoke('issue', { certificates, dryRun: true, report: true });
    expect(written()).toBe(before);
    return answer;
  }
  const refused = (what: string, message: RegExp) => ({
    ok: false,
    failures: [{ what, code: 'PreflightFailed', message: expect.stringMatching(message) }],
  });

  it('fails where the CA asks for a binding of accounts that is not there', async () => {
    expect(await rehearse('shop')).toMatchObject({ ok: true, failures: [] });
    sandbox.authority.settings.externalAccountRequired = true;
    expect(await rehearse('shop')).toMatchObject(
      refused(
        'shop',
        /^issuer default: .*external account binding.*write eab.*; an order is due: no certificate/,
      ),
    );
    sandbox.authority.settings.externalAccountRequired = false;
  });

  it('fails where the CA does not answer', async () => {
    sandbox.faults.set('acme', 'directory', { kind: 'error', code: 'serverInternal', status: 503 }, 20);
    expect(await rehearse('shop')).toMatchObject(refused('shop', /^issuer default: .*503/));
    sandbox.faults.clear();
  });

  it('fails for want of a zone, with every certificate in its report', async () => {
    await sandbox.lambda.invoke('issue', { certificates: ['shop'] });
    await sandbox.queues.deploy.untilEmpty();
    expect(await rehearse('shop', 'nozone')).toMatchObject({
      ...refused('nozone', /www\.elsewhere\.net.*; an order is due: no certificate/),
      dryRun: true,
      certificates: [
        { name: 'nozone', reason: 'PreflightFailed' },
        { name: 'shop', decision: 'keep' },
      ],
    });
    const { error } = await sandbox.lambda.invoke('issue', { certificates: ['nozone'], dryRun: true });
    expect(error?.errorMessage).toMatch(/^nozone: PreflightFailed: /);
  });

  it('fails also while the certificate backs off', async () => {
    await sandbox.lambda.invoke('issue', { certificates: ['nozone'], force: true });
    expect(await rehearse('nozone')).toMatchObject({
      ...refused('nozone', /www\.elsewhere\.net/),
      certificates: [{ name: 'nozone', reason: 'PreflightFailed', until: expect.any(String) }],
    });
  });

  it('fails where the CA has closed the account', async () => {
    await sandbox.setCertificates([shop, { name: 'fresh', domains: ['fresh.example.com'] }]);
    sandbox.authority.deactivateAccounts();
    expect(await rehearse('fresh')).toMatchObject(
      refused('fresh', /has closed the account .* delete that AWS secret/),
    );
  });
});

describe('a call of the schedule', () => {
  const schedule = { schedule: true };

  it('is no error for an order that fails, which status tells', async () => {
    const { answer, error } = await sandbox.lambda.invoke('issue', schedule);
    expect(error).toBeUndefined();
    expect(answer).toMatchObject({ summary: { failed: 1 } });
    const status = await sandbox.lambda.invoke('status', { certificates: ['fresh'] });
    expect(status.answer).toMatchObject({ certificates: [{ health: 'Progressing', reason: 'BackingOff' }] });
  });

  it('is an error if the pass cannot be made', async () => {
    const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
    const end = sandbox.faults.set('secretsmanager', 'ListSecrets', denied, Infinity);
    for (const name of ['issue', 'deploy', 'probe', 'status']) {
      const { error } = await sandbox.lambda.invoke(name, schedule);
      expect(error?.errorMessage, name).toContain('ListSecrets');
    }
    end();
  });
});

describe('a name that nobody knows', () => {
  const one = { certificates: ['shpo'] };
  it.each([
    ['issue', one],
    ['deploy', one],
    ['probe', one],
    ['status', one],
    ['pause', one],
    ['export', one],
    ['revoke', { certificate: 'shpo', reason: 'superseded' }],
    ['import', { certificate: 'shpo' }],
  ])('is an error of %s, which suggests the nearest one and writes nothing', async (name, event) => {
    const before = written();
    const { error } = await sandbox.lambda.invoke(name, event);
    const lines = error?.errorMessage.split('\n') ?? [];
    expect(lines[0]).toMatch(
      /^shpo: Unknown: no certificate is called "shpo", neither in the inventory nor by registration; did you mean "shop"\?/,
    );
    expect(lines.slice(1, -1)).toEqual(['to go on, run:']);
    expect(lines.at(-1)).toMatch(/^ {2}npx certrelay status/);
    expect(written()).toBe(before);
  });

  it('does not keep the others of the call from being looked at', async () => {
    const { answer } = await sandbox.lambda.invoke('status', {
      certificates: ['shpo', 'shop'],
      report: true,
    });
    expect(answer).toMatchObject({
      ok: false,
      certificates: [{ name: 'shop' }],
      failures: [{ what: 'shpo', code: 'Unknown', command: expect.stringContaining('status shop') }],
    });
  });

  it.each([
    [
      { targets: ['lab/shop/shop-tsl'] },
      /target "lab\/shop\/shop-tsl"; did you mean "lab\/shop\/shop-tls"\?$/,
    ],
    [{ clusters: ['lap'] }, /no cluster "lap"; did you mean "lab"\?$/],
  ])('of a target or a cluster is one of deploy: %j', async (event, words) => {
    const { error } = await sandbox.lambda.invoke('deploy', event);
    expect(error?.errorMessage.split('\n')[0]).toMatch(words);
  });

  it.each([
    ['lap', { from: { cluster: 'lap', namespace: 'shop', secret: 'shop-tls' } }],
    ['lap', { account: { issuer: 'default', from: { cluster: 'lap', namespace: 'shop', secret: 'key' } } }],
    ['defalt', { from: { cluster: 'lab', namespace: 'shop', secret: 'shop-tls' }, issuer: 'defalt' }],
  ])('of a cluster or an issuer is one of import, too: %s in %j', async (what, event) => {
    const { answer } = await sandbox.lambda.invoke('import', { ...event, report: true });
    expect(answer).toMatchObject({
      ok: false,
      failures: [{ what, code: 'Unknown', message: expect.stringContaining('did you mean') }],
    });
  });
});
