// The command that follows a failed call.
import { expect, test } from 'vitest';
import { lookCommand } from '../../functions/runtime/follow-up.ts';
import type { CalledFunction } from '../../lib/policy/commands.ts';

const failed = (...parts: readonly string[]) =>
  parts.map((what) => ({ what, code: 'Denied', message: 'no' }));
const many = Array.from({ length: 21 }, (_, index) => `c${index}`);

test.each<[CalledFunction, readonly string[], string]>([
  ['issue', ['shop', 'blog'], 'plan shop blog'],
  ['issue', many, 'plan'],
  ['issue', ['issue'], 'plan'],
  ['deploy', ['lab/shop/tls', 'shop'], 'deploy --target lab/shop/tls --dry-run'],
  ['deploy', ['cluster lab'], 'deploy --dry-run'],
  ['discover', ['lab/shop'], 'discover --dry-run'],
  ['probe', ['shop'], 'probe shop'],
  ['pause', ['shop'], 'status shop'],
  ['revoke', ['revoke'], 'status'],
  ['import', ['lab-shop-tls'], 'status'],
])('after %s failed for %j', (name, parts, command) => {
  expect(lookCommand(name, failed(...parts))).toBe(`npx certrelay ${command}`);
});

test('there is none for an event that is wrong; unknown names lead to those that are known', () => {
  const event = { what: 'issue', code: 'Event', message: 'unknown field' };
  expect(lookCommand('issue', [event])).toBeUndefined();
  const unknown = { what: 'shpo', code: 'Unknown', message: 'no' };
  expect(lookCommand('issue', [unknown])).toBe('npx certrelay status');
  expect(lookCommand('issue', [{ ...unknown, command: 'npx better' }])).toBeUndefined();
  expect(lookCommand('probe', [unknown, ...failed('blog')])).toContain('probe blog');
});
