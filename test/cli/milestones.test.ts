// What a person sees of the log of a function while a call of it goes on.
import { expect, it, onTestFinished, vi } from 'vitest';
import { followLog } from '../../infra/cli/milestones.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import type { LogLine } from '../sandbox/lambda/server.ts';
import { startLogs } from '../sandbox/logs/server.ts';

/** A machine may be busy. */
const waitFor = (holds: () => void) => vi.waitFor(holds, 30_000);

/** A log that a test writes, and the milestones that are told of it. */
async function follow(functionName: string, searched?: number) {
  const lines: LogLine[] = [];
  const journal = new Journal();
  const faults = new Faults();
  const logs = await startLogs({ journal, faults, functions: ['issue', 'deploy'], lines, searched });
  onTestFinished(() => logs.stop());
  const told: string[] = [];
  const log = {
    functionName,
    region: 'eu-central-1',
    endpoint: logs.url,
    identify: async () => ({ accessKeyId: 'AKIASANDBOXOPERATOR', secretAccessKey: 'sandbox' }),
    since: new Date(),
    everyMs: 1,
  };
  const stop = followLog(log, (milestone) => told.push(milestone));
  onTestFinished(stop);
  const write = (name: string, fields: object, at = new Date()) =>
    void lines.push({ function: name, requestId: 'r', line: JSON.stringify(fields), at });
  return { told, write, stop, journal, faults, last: () => told.at(-1) };
}

it('each milestone is told in its turn, and nothing else of the log', async () => {
  const { write, told, last, journal } = await follow('certrelay-dev-issue');
  write('issue', { message: 'certificate issued', certificate: 'before' }, new Date(0));
  write('deploy', { message: 'certificate delivered', certificate: 'other', target: 'lab/x/y' });
  write('issue', { message: 'TXT values added', certificate: 'shop' });
  await waitFor(() => expect(journal.count({ service: 'logs' })).toBeGreaterThan(2));
  expect(told).toEqual([]);
  write('issue', { message: 'order created', certificate: 'shop' });
  await waitFor(() => expect(last()).toBe('order opened: shop'));
  write('issue', { message: 'certificate issued', certificate: 'shop' }, new Date(Date.now() + 1));
  await waitFor(() => expect(last()).toBe('certificate issued: shop'));
  write(
    'issue',
    { message: 'certificate delivered', certificate: 'shop', target: 'lab/shop/shop-tls\u001b[2J\n' },
    new Date(Date.now() + 2),
  );
  await waitFor(() => expect(last()).toBe('delivered: lab/shop/shop-tls [2J '));
  expect(new Set(told).size).toBe(3);
});

it('a log of which a call searches a part is read on where that has ended', async () => {
  const { write, last } = await follow('certrelay-dev-issue', 2);
  for (let index = 0; index < 20; index += 1) write('issue', { message: 'TXT values added' });
  write('issue', { message: 'order created', certificate: 'shop' });
  await waitFor(() => expect(last()).toBe('order opened: shop'));
});

it.each([
  ['whose log may not be read', 'certrelay-dev-issue', 'AccessDeniedException'],
  ['that has no log', 'certrelay-dev-unknown', undefined],
])('of a function %s nothing is told, and it is asked once', async (_, name, code) => {
  const { write, told, journal, faults } = await follow(name);
  if (code !== undefined) faults.set('logs', 'FilterLogEvents', { kind: 'error', code, status: 400 }, 1);
  write('issue', { message: 'order created', certificate: 'shop' });
  await waitFor(() => expect(journal.find({ service: 'logs' })[0]?.status).toBe(400));
  const { write: writeOther, last } = await follow('certrelay-dev-issue');
  writeOther('issue', { message: 'order created', certificate: 'other' });
  // Another that began later has been answered meanwhile.
  await waitFor(() => expect(last()).toBe('order opened: other'));
  expect(told).toEqual([]);
  expect(journal.count({ service: 'logs' })).toBe(1);
});

it('nothing is asked once the call is over', async () => {
  const { write, journal, stop, last } = await follow('certrelay-dev-issue');
  write('issue', { message: 'order created', certificate: 'shop' });
  await waitFor(() => expect(last()).toBe('order opened: shop'));
  stop();
  const asked = journal.count({ service: 'logs' });
  const other = await follow('certrelay-dev-issue');
  await waitFor(() => expect(other.journal.count({ service: 'logs' })).toBeGreaterThan(3));
  expect(journal.count({ service: 'logs' })).toBeLessThanOrEqual(asked + 1);
});
