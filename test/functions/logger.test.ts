// The log of the functions: one JSON line per event, without PEM wherever somebody may have put it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../../functions/runtime/logger.ts';

const lines: string[] = [];
const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n';

beforeEach(() => {
  lines.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  }
});
afterEach(() => vi.restoreAllMocks());

it('P21 writes one JSON line with the event, its fields and the request', () => {
  createLog('info', 'request-1').info('certificate issued', { certificate: 'shop', ms: 12 });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'INFO',
    message: 'certificate issued',
    certificate: 'shop',
    ms: 12,
    requestId: 'request-1',
  });
});

it('removes PEM from fields at any depth, in base64 too', () => {
  const base64 = Buffer.from(pem).toString('base64');
  createLog('info', 'r').warn('registration refused', { a: pem, b: { c: [`text ${pem}`] }, d: base64 });
  expect(lines.join()).not.toContain('MIGHAgEA');
  expect(lines.join()).not.toContain(base64);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    a: '[PEM removed]',
    b: { c: ['[PEM removed]'] },
    d: '[PEM removed]',
  });
});

it('D11 writes debug lines only where the level asks for them', () => {
  createLog('info', 'r').debug('certificate judged');
  expect(lines).toEqual([]);
  createLog('debug', 'r').debug('certificate judged');
  expect(lines).toHaveLength(1);
});

it('writes no long line, whatever the fields hold, and says how much it leaves out', () => {
  const hosts = Array.from({ length: 30_000 }, (_, index) => `host-${index}.${'a'.repeat(100)}.example.com`);
  const log = createLog('info', 'r');
  log.warn('registration refused', {
    certificate: 'shop',
    names: hosts,
    problem: hosts.join(', '),
    nested: { hosts },
  });
  log.warn('registration refused', {
    certificate: 'shop',
    ...Object.fromEntries(hosts.map((host) => [host, hosts])),
  });
  log.error('certificate failed', { error: new Error('x'.repeat(1_000_000)), deep: deepen(1_000) });
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(33_000);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'WARN',
    message: 'registration refused',
    certificate: 'shop',
  });
  expect(/and 29\d+ more/.test(lines[0] ?? '')).toBe(true);
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ message: 'registration refused', certificate: 'shop' });
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ level: 'ERROR' });
});

it('writes the hundred names of a certificate whole, and numbers and dates as they are', () => {
  const names = Array.from({ length: 100 }, (_, index) => `host-${index}.${'a'.repeat(60)}.example.com`);
  const at = new Date('2026-11-22T10:00:00Z');
  createLog('info', 'r').info('certificate issued', { names, failed: 3, at, asked: undefined });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ names, failed: 3, at: '2026-11-22T10:00:00.000Z' });
});

function deepen(levels: number): object {
  let deep: object = {};
  for (let level = 0; level < levels; level += 1) deep = { deep };
  return deep;
}
