// What a table on a narrow terminal keeps although it has no room for it.
import { expect, it } from 'vitest';
import { answering, certrelay } from './harness.ts';

const address = `https://ca.example/unpause?jwt=${'eyJhbGciOiJIUzI1NiJ9.'.repeat(20)}e`;

async function showStatus(message: string, columns: number) {
  const certificates = [{ name: 'shop', health: 'Degraded', reason: 'PausedByCA', message }];
  const { env } = await answering({ installation: 'certrelay', summary: { Degraded: 1 }, certificates });
  const { out } = await certrelay('status', { env: { ...env, NO_COLOR: '1' }, columns });
  return out.split('\n').slice(1);
}

it.each([30, 60, 80, 200])('an address of a message is there whole at %d columns', async (columns) => {
  const lines = await showStatus(`the CA has paused it; visit ${address}, then resume it here`, columns);
  expect(lines.filter((line) => line.includes(address))).toHaveLength(1);
  const others = lines.filter((line) => !line.includes(address));
  for (const line of others) expect(line.length, line).toBeLessThanOrEqual(columns);
});

it('an address that has room is not told again', async () => {
  const lines = await showStatus(`see https://ca.example/a. ${'More words. '.repeat(20)}`, 80);
  expect(lines.join('\n').split('https://ca.example/a')).toHaveLength(2);
});

it('an instant below a row of a forecast says what it is', async () => {
  const late = { certificate: 'a-name-that-is-rather-long', notAfter: '2026-12-02T12:00:00Z' };
  const list = [{ ...late, orderedAt: '2026-12-04T12:00:00Z' }];
  const { env } = await answering({ summary: {}, days: [], lateOrders: { list, omitted: 0 } });
  const { out } = await certrelay('forecast', { env: { ...env, NO_COLOR: '1' }, columns: 50 });
  expect(out).toMatch(/\n {2}ordered 2026-12-04 /);
});
