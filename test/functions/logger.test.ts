// The log of the functions: one JSON line per event, without PEM wherever somebody may have put it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../../functions/logger.ts';

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
  createLog('info', 'r').warn('something', { a: pem, b: { c: [`text ${pem}`] }, d: base64 });
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
