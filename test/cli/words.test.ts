// What a person reads of a mistake: the options that were typed, once, and in every width.
import { describe, expect, it } from 'vitest';
import { answering, certrelay, certrelayWith } from './harness.ts';

describe('a value that a function refuses', () => {
  const refusing = (what: string, message: string) =>
    answering({ ok: false, certificates: [], failures: [{ what, code: 'Event', message }] });

  it.each([
    ['pause shop --until tomorrow', 'until: must be a time from now', '--until: must be a time from now'],
    ['forecast --lifetime 1h', 'lifetime: certificates of 1 h', '--lifetime: certificates of 1 h'],
    ['deploy --target x', 'targets.0: must be cluster/x', '--target: must be cluster/x'],
    [
      'export shop -d x --format manifest',
      'a manifest has it; add "key": true',
      'a manifest has it; add --key',
    ],
    [
      'revoke shop --version x --yes',
      'version: must be "previous" or a version id',
      '--version: must be "previous" or a version id',
    ],
    ['export shop -d x', '"target" needs "format": "manifest"', '--target needs --format manifest'],
  ])('of %s is told by its option', async (line, problem, words) => {
    const { env } = await refusing('pause', `invalid event: ${problem}`);
    const { code, err } = await certrelay(line, { env });
    expect(err).toBe(`${words}\n`);
    expect(code).toBe(2);
  });

  it('keeps its words where they are of no field', async () => {
    const { env } = await refusing('pause', 'the event is not a JSON object');
    expect((await certrelay('pause shop', { env })).err).toBe(
      'pause: Event: the event is not a JSON object\n',
    );
  });
});

it.each([
  ['export shop -d x --format der', /Allowed choices are tls, .*pem, manifest/],
  ['completion tcsh', /nothing is known of the shell "tcsh": say which shell/],
])('%s says what there is', async (line, words) => {
  expect(await certrelay(line, { env: {} })).toMatchObject({ code: 2, err: expect.stringMatching(words) });
});

it.each(['renew shop', 'rollback shop'])('%s tells a failure once', async (line) => {
  const message = 'there is nothing to go back to';
  const failed = { name: 'shop', outcome: 'failed', decision: 'failed', message };
  const { env } = await answering({
    ok: false,
    certificates: [failed],
    failures: [{ what: 'shop', code: 'NoPrevious', message }],
  });
  const { out, err, code } = await certrelay(line, { env });
  expect(out).toBe('certificate/shop failed\n');
  expect(err).toContain(`shop: NoPrevious: ${message}\n`);
  expect(code).toBe(1);
});

it('probe tells a failure once', async () => {
  const message = 'no certificate is called "nope"';
  const failures = [{ what: 'nope', code: 'Unknown', message, command: 'npx certrelay status' }];
  const certificates = [{ name: 'nope', served: 'failed', message }];
  const { code, shown } = await certrelay(
    'probe nope',
    await answering({ ok: false, certificates, failures }),
  );
  expect(shown.split(message)).toHaveLength(2);
  expect(shown).toContain('to go on, run:\n  npx certrelay status\n');
  expect(code).toBe(2);
});

it('probe says a word of its table once', async () => {
  const { env } = await answering({
    certificates: [{ name: 'shop', served: 'unprobed', message: 'unprobed shop.example.com' }],
  });
  expect((await certrelay('probe', { env })).out).toMatch(/\nshop +unprobed +shop\.example\.com\n$/);
});

it('why of a cluster names a target once, and what is said of its certificate once', async () => {
  const of = (message: string, told: string) => ({
    name: 'shop',
    health: 'Progressing',
    reason: 'Delivering',
    message,
    cause: 'cluster/lab',
    targets: [{ target: 'lab/shop/tls', health: 'Progressing', message: told }],
  });
  const has = 'lab/shop/tls does not have it yet';
  const clusters = [{ name: 'lab', health: 'Healthy', reason: 'Current', message: 'fine' }];
  const told = { summary: {}, clusters };
  for (const [message, line] of [
    [has, 'lab/shop/tls'],
    ['other words', has],
  ] as const) {
    const { env } = await answering({ ...told, certificates: [of(message, has)] });
    const { out } = await certrelay('why cluster/lab', { env });
    expect(out).toMatch(new RegExp(`\\n  target +${line}\\n$`));
  }
});

it.each([
  ['deploy could not reach last', 'clusters', 'lab', 'cluster/lab'],
  ['whose agent is silent', 'agents', 'lab', 'agent/lab'],
  ['where none of its targets is', 'clusters', 'prod', undefined],
])('status of a certificate that is well shows a cluster %s', async (_, list, name, shown) => {
  const others = [
    {
      name,
      health: 'Progressing',
      reason: 'ClusterFailing',
      message: 'no answer',
      command: 'npx certrelay go',
    },
    { name: 'lab', health: 'Healthy', reason: 'Current', message: 'fine' },
  ];
  const targets = [{ target: 'lab/shop/tls', health: 'Healthy', message: 'up to date' }];
  const certificates = [{ name: 'shop', health: 'Healthy', message: 'up to date', targets }];
  const { env } = await answering({ summary: { Healthy: 1 }, certificates, [list]: others });
  const { code, out, err } = await certrelay('status shop', { env });
  const rows = out.split('\n').slice(1, -1);
  expect(rows.map((row) => row.split(' ')[0])).toEqual(shown === undefined ? ['shop'] : [shown, 'shop']);
  expect(err.includes('npx certrelay go')).toBe(shown !== undefined);
  expect(code).toBe(0);
});

it('list on a narrow terminal does not show as alive what is let go', async () => {
  const { env } = await answering({
    certificates: [
      {
        name: 'a-customer-of-the-shop',
        source: 'webhook',
        outcome: 'retiring',
        until: '2026-12-30T00:00:00Z',
        notAfter: '2026-12-30T00:00:00Z',
        domains: ['shop.example.com', '*.shop.example.com'],
      },
    ],
  });
  const { out } = await certrelayWith(['list'], { env, columns: 40 });
  expect(out).toContain('retiring');
});
