// A dry run says what the next run does, and the next run does it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startQuietSandbox({ zones: ['example.com', 'example.net'] });
  // Somebody else's zone.
  sandbox.dns.serve(() => [
    fixedZone('example.org.', [{ name: 'example.org.', type: 'NS', data: 'ns1.example.org' }]),
  ]);
});
afterAll(() => sandbox.stop());

/** Calls that change something, by operation. */
const changing = ['newOrder', 'newAccount', 'CreateSecret', 'PutSecretValue', 'ChangeResourceRecordSets'];
const isChange = /^(new|Create|Put|Update|Delete|Change|Tag|Untag|finalize|challenge|Send)/;

async function run(event: object) {
  const before = sandbox.journal.calls.length;
  const { answer, error } = await sandbox.lambda.invoke('issue', { ...event, report: true });
  expect(error).toBeUndefined();
  const calls = sandbox.journal.calls.slice(before).filter(({ principal }) => principal !== 'deploy');
  const counts = changing.map(
    (name) => [name, calls.filter(({ action }) => action === name).length] as const,
  );
  return { report: Object(answer), changes: Object.fromEntries(counts), calls };
}

it('names decisions, zones and calls, changes nothing itself, and is right', async () => {
  // Whose account is there afterwards.
  await sandbox.setCertificates([{ name: 'first', domains: ['first.example.com'] }]);
  await run({});
  await sandbox.setCertificates([
    { name: 'shop', domains: ['shop.example.com', '*.shop.example.com', 'shop.example.net'] },
    { name: 'blog', domains: ['blog.example.com'] },
    { name: 'elsewhere', domains: ['www.example.org'] },
  ]);
  const dry = await run({ dryRun: true });
  // The account is asked for with onlyReturnExisting, which makes none.
  const reading = ['newNonce', 'newAccount'];
  const changes = dry.calls.filter(({ action }) => isChange.test(action) && !reading.includes(action));
  expect(changes).toEqual([]);
  expect(dry.report).toMatchObject({
    dryRun: true,
    predicted: { newOrder: 2, CreateSecret: 3, PutSecretValue: 4, ChangeResourceRecordSets: 4 },
  });
  const real = await run({});
  expect(real.changes).toMatchObject({ ...dry.report.predicted, newAccount: 0 });
  const decisions = (report: {
    certificates: readonly { name: string; decision: string; reason: string }[];
  }) => report.certificates.map(({ name, decision, reason }) => `${name} ${decision} ${reason}`);
  expect(decisions(real.report)).toEqual(decisions(dry.report));
  const [elsewhere] = dry.report.certificates.filter(({ name }: { name: string }) => name === 'elsewhere');
  expect(elsewhere).toMatchObject({ decision: 'wait', reason: 'PreflightFailed' });

  const after = await run({ dryRun: true });
  expect(after.report.predicted).toEqual({
    newOrder: 0,
    CreateSecret: 0,
    PutSecretValue: 0,
    ChangeResourceRecordSets: 0,
  });
});

it('fails as the pass does where there is no hosted zone at all', async () => {
  const bare = await startQuietSandbox({ zones: [] });
  try {
    await bare.setCertificates([{ name: 'shop', domains: ['shop.example.com'] }]);
    for (const event of [{ dryRun: true }, {}]) {
      const { answer } = await bare.lambda.invoke('issue', { ...event, report: true });
      const line = { decision: 'wait', reason: 'PreflightFailed' };
      const message = expect.stringContaining('no public hosted zone of this AWS account');
      expect(answer).toMatchObject({ certificates: [{ ...line, message }] });
    }
    expect(bare.journal.count({ service: 'acme', action: 'newOrder' })).toBe(0);
  } finally {
    await bare.stop();
  }
});
