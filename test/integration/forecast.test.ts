// A forecast through the function, on the sandbox: what it reads, and that it is right.
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { parseIssueEvent } from '../../lib/requests/requests.ts';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startQuietSandbox({ zones: ['example.com'] });
});
afterAll(() => sandbox.stop());

const answer = z.looseObject({
  summary: z.looseObject({ certificates: z.number(), renewals: z.number(), firstOrders: z.number() }),
  days: z.array(z.looseObject({ certificates: z.object({ list: z.array(z.string()) }) })),
  issuers: z.array(z.looseObject({ directory: z.string() })),
});

async function run(event: object) {
  const before = sandbox.journal.calls.length;
  const { answer: given, error } = await sandbox.lambda.invoke('issue', event);
  const calls = sandbox.journal.calls.slice(before).filter(({ principal }) => principal !== 'deploy');
  return { given, error, actions: [...new Set(calls.map(({ action }) => action))] };
}

it('reads lists alone, and orders what it said is then ordered', async () => {
  await sandbox.setCertificates([
    { name: 'shop', domains: ['shop.example.com'] },
    { name: 'blog', domains: ['blog.example.com'] },
  ]);
  const first = await run({ forecast: '30d' });
  expect(first.error).toBeUndefined();
  expect(first.actions).toEqual(['ListSecrets']);
  const told = answer.parse(first.given);
  expect(told.summary).toMatchObject({ certificates: 2, firstOrders: 2 });
  expect(told.days[0]?.certificates.list).toEqual(['blog', 'shop']);

  const { given } = await run({});
  expect(Object(given).summary).toMatchObject({ issued: 2 });
  const after = await run({ forecast: '1d', report: true });
  expect(after.actions).toEqual(['ListSecrets']);
  expect(answer.parse(after.given).summary).toMatchObject({ certificates: 2, firstOrders: 0, renewals: 0 });
  expect(after.given).toMatchObject({ ok: true, failures: [] });
});

it.each([
  [{ forecast: '90' }, 'forecast: must be a number with h, d or w, such as 90d'],
  [{ forecast: '0d' }, 'forecast: must be longer than nothing'],
  [{ forecast: '401d' }, 'forecast: must be 400d at most'],
  [{ forecast: '9'.repeat(10_000) }, 'forecast: must be a number with h, d or w'],
  [{ forecast: 90 }, 'forecast: '],
  [{ forecast: '90d\u001b[2J' }, 'forecast: must be a number'],
  [{ forecast: '90d', lifetime: '6h' }, 'certificates of 6h could not be kept: issue looks every 6h'],
  [{ forecast: '90d', lifetime: '0h' }, 'lifetime: must be longer than nothing'],
  [{ forecast: '90d', from: '2028-02-30' }, 'from: is not in the calendar'],
  [{ forecast: '90d', from: 'tomorrow' }, 'from: must be a day such as 2028-02-16'],
  [{ forecast: '90d', from: '2020-01-01' }, 'from: 2020-01-01T00:00:00.000Z is over'],
  [{ forecast: '90d', from: '2099-01-01' }, 'from: must be within 1100 days'],
  [{ forecast: '90d', certificates: ['shop'] }, '"forecast" is about all certificates'],
  [{ forecast: '90d', dryRun: true }, '"forecast" is about all certificates'],
  [{ lifetime: '45d' }, '"lifetime", "reuse" and "from" need "forecast"'],
  [{ forecsat: '90d' }, '"forecsat" (did you mean "forecast"?)'],
])('the event %j is refused with words', async (event, words) => {
  const { error, actions } = await run(event);
  expect(JSON.stringify(error).replaceAll('\\"', '"')).toContain(words);
  expect(JSON.stringify(error)).not.toContain('9'.repeat(100));
  expect(actions).toEqual([]);
});

it('a message of a queue cannot ask for one', () => {
  const record = { messageId: 'm', body: '{"forecast": "90d"}', eventSource: 'aws:sqs' };
  const messages = [{ id: 'm', problem: 'a forecast is answered to a call only' }];
  expect(parseIssueEvent({ Records: [record] })).toEqual({ kind: 'batch', messages });
});
