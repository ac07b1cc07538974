// The commands against the sandbox, as a person sees them: output, exit code, JSON, without a terminal and on
// a narrow one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { certrelay, runProcess, type Situation } from './harness.ts';

let sandbox: Sandbox;
let here: Situation;
const startOfEscape = '\u001b';
const long = 'a-name-that-is-as-long-as-the-name-of-a-certificate-can-be-here';

const shop = {
  name: 'shop',
  domains: ['shop.example.com'],
  issuer: 'default',
  targets: [{ cluster: 'lab', namespace: 'shop', secret: 'shop-tls' }],
};

beforeAll(async () => {
  const given = {
    ...shop,
    name: long,
    domains: ['long.example.com'],
    targets: [{ cluster: 'lab', namespace: 'shop', secret: 'long-tls' }],
  };
  sandbox = await startSandbox({ namespaces: ['shop'], certificates: [shop, given] });
  here = { env: sandbox.environment };
  // It is in its cluster, and nobody renews it any more: Degraded.
  await certrelay(`renew ${long}`, here);
  await sandbox.queues.deploy.untilEmpty();
  await certrelay(`deploy ${long}`, here);
  await sandbox.setCertificates([shop]);
  // The bundles are built first, if nobody has built them yet.
}, 300_000);
afterAll(() => sandbox.stop());

describe('a certificate from nothing to its cluster', () => {
  it('is planned, renewed, delivered and shown, with a line for each thing that was done', async () => {
    const plan = await certrelay('plan shop', here);
    expect(plan.out).toMatch(
      /^NAME +ORDER +REASON +MESSAGE\nshop +order +Missing +no certificate is stored\n/,
    );
    expect(plan.out).toMatch(/\nshop +- +skip +it has not been issued yet\n$/);
    expect(plan.err).toContain('1 newOrder');
    expect(plan.code).toBe(0);

    const rehearsed = await certrelay('renew shop --dry-run', here);
    expect(rehearsed.out).toMatch(/\nshop +order/);
    const renewed = await certrelay('renew shop', here);
    expect(renewed).toMatchObject({ code: 0, err: '' });
    expect(renewed.out).toMatch(/^certificate\/shop renewed, valid until \d{4}-\d\d-\d\d \d\d:\d\d \S+\n$/);
    const again = await certrelay('renew shop', here);
    expect(again.out).toMatch(/^certificate\/shop unchanged: valid until/);
    const forced = await certrelay('renew shop --force', here);
    expect(forced.out).toMatch(/^certificate\/shop renewed/);

    await sandbox.queues.deploy.untilEmpty();
    const delivered = await certrelay('deploy shop', here);
    expect(delivered.out).toBe('certificate/shop unchanged in lab/shop/shop-tls\n');
    const status = await certrelay('status shop', here);
    expect(status.out).toMatch(/\nshop +Healthy +(89|90)\.\d +up to date/);
    expect(status.code).toBe(0);
  });

  it('is the same as JSON and YAML, with instants in UTC and nothing beside it on stdout', async () => {
    const json = await certrelay('status shop -o json', here);
    const report = JSON.parse(json.out);
    expect(report).toMatchObject({
      ok: true,
      failures: [],
      certificates: [{ name: 'shop', health: 'Healthy' }],
    });
    expect(report.at).toMatch(/Z$/);
    const yaml = await certrelay('status shop -o yaml', here);
    expect(parse(yaml.out)).toMatchObject({ certificates: [{ name: 'shop' }] });
    expect(JSON.parse((await certrelay('plan -o json', here)).out)).toMatchObject({
      orders: { dryRun: true },
      deliveries: { dryRun: true },
    });
  });

  it('is only its name with --quiet', async () => {
    expect(await certrelay('status shop -q', here)).toMatchObject({ code: 0, out: 'shop\n', err: '' });
    expect((await certrelay('renew shop -q', here)).out).toBe('certificate/shop\n');
  });
});

describe('what needs a person', () => {
  it('is Degraded first, ends with 1 and says what to do next', async () => {
    const status = await certrelay('status', here);
    expect(status.code).toBe(1);
    expect(status.out.split('\n')[1]).toMatch(new RegExp(`^${long} +Degraded`));
    expect(status.err).toMatch(/1 Degraded.*first end in/);
    expect(status.err).toMatch(/to go on, run:\n {2}np/);
  });

  it('fails a renewal with the words of what is in its way', async () => {
    const fault = {
      kind: 'error',
      code: 'rejectedIdentifier',
      status: 403,
      message: 'not by our policy',
    } as const;
    sandbox.faults.set('acme', 'newOrder', fault, 1);
    const renewed = await certrelay('renew shop --force', here);
    expect(renewed.code).toBe(1);
    expect(renewed.out).toBe('certificate/shop failed\n');
    expect(renewed.err).toMatch(/^shop: rejectedIdentifier: .*not by our policy/);
    expect((await certrelay('renew shop --force', here)).code).toBe(0);
  });
});

describe('on a terminal', () => {
  it.each([80, 40])('of %d columns no line is wider, and what is wrong is still said', async (columns) => {
    const { out } = await certrelay('status', { ...here, columns });
    const plain = out.replaceAll(new RegExp(`${startOfEscape}\\[\\d*m`, 'g'), '');
    expect(plain).toContain('shop');
    for (const line of plain.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    expect(plain).toContain('Degraded');
  });

  it('health is coloured, unless NO_COLOR says not to; without a terminal there is no colour', async () => {
    const coloured = await certrelay('status', { ...here, columns: 100 });
    expect(coloured.out).toContain('\u001b[31mDegraded');
    const plain = { env: { ...here.env, NO_COLOR: '1' }, columns: 100 };
    expect((await certrelay('status', plain)).out).not.toContain('\u001b');
    expect((await certrelay('status', here)).out).not.toContain('\u001b');
  });

  it('status --watch shows it again until a person cancels, and ends with 130', async () => {
    const cancelling = new AbortController();
    const watching = certrelay('status --watch 1', { ...here, columns: 100, signal: cancelling.signal });
    const seen = () => sandbox.lambda.logs.filter(({ line }) => line.startsWith('START')).length;
    const before = seen();
    for (const deadline = Date.now() + 20_000; seen() < before + 2 && Date.now() < deadline; )
      await new Promise((resolve) => setTimeout(resolve, 20));
    cancelling.abort();
    const { code, out } = await watching;
    expect(code).toBe(130);
    expect(out.split('\u001b[H\u001b[2J').length).toBeGreaterThan(1);
  });
});

describe('a mistyped word', () => {
  it('of a command, an option or a certificate is answered with the nearest, and ends with 2', async () => {
    const command = await certrelay('stauts', here);
    expect(command.err).toContain('Did you mean status?');
    const option = await certrelay('status --ouptut json', here);
    expect(option.err).toContain('Did you mean --output?');
    const name = await certrelay('status shpo', here);
    expect(name.err).toContain('did you mean "shop"?');
    const value = await certrelay('status -o jsno', here);
    expect([command, option, name, value].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    expect([command, option, name, value].map(({ out }) => out).join('')).toBe('');
  });

  it.each([
    ['foo', ''],
    ['why', 'why '],
    ['ack shop', 'ack '],
    ['list shop', 'list '],
    ['deploy --nonsense', 'deploy '],
  ])('%s is answered with the command that shows what there is', async (line, name) => {
    const { code, err } = await certrelay(line, here);
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^.+\\nfor more: npx certrelay ${name}--help\\n$`));
    expect(await certrelay(`${name}--help`, here)).toMatchObject({ code: 0 });
  });

  it.each([
    ['status Shop!', 'names have up to 63'],
    ['why lab/shop/shop-tls', 'it is a target'],
    ['renew shop.example.com', 'it is a domain'],
    ['renew --force', 'exactly one certificate'],
    ['status --watch 0', 'whole seconds'],
    ['status --watch -o json', 'leave out -o json'],
    ['status --stage a --installation b', 'leave one of them out'],
    ['status --stage a:b', '--stage must be a name'],
    ['status --endpoint-url file:///x', 'must be a URL'],
  ])('%s is refused in words before anything is called', async (line, words) => {
    const before = sandbox.lambda.logs.length;
    const { code, out, err } = await certrelay(line, here);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(words);
    expect(sandbox.lambda.logs.length).toBe(before);
  });
});

it('runs as a process: the bundle, its exit code, and its streams', async () => {
  const env = { ...sandbox.environment };
  const status = await runProcess(['status', 'shop'], env);
  expect(status).toMatchObject({ code: 0 });
  expect(status.out).toMatch(/\nshop +Healthy/);
  const url = env.AWS_ENDPOINT_URL_LAMBDA ?? '';
  // Without credentials in the environment, too: the sandbox is nobody's account.
  const bare = await runProcess(['status', 'shop', '--endpoint-url', url], {});
  expect(bare).toMatchObject({ code: 0, out: status.out });
});
