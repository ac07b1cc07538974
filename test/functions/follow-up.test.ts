// The command that follows a failed call.
import { expect, test } from 'vitest';
import { lookCommand } from '../../functions/runtime/follow-up.ts';
import type { CalledFunction } from '../../lib/policy/commands.ts';

const failed = (...parts: readonly string[]) =>
  parts.map((what) => ({ what, code: 'Denied', message: 'no' }));
const many = Array.from({ length: 21 }, (_, index) => `c${index}`);

test.each<[CalledFunction, readonly string[], string]>([
  ['issue', ['shop', 'blog'], `issue --data '{"certificates":["shop","blog"],"dryRun":true,"report":true}'`],
  ['issue', many, `issue --data '{"dryRun":true,"report":true}'`],
  ['issue', ['issue'], `issue --data '{"dryRun":true,"report":true}'`],
  [
    'deploy',
    ['lab/shop/tls', 'shop'],
    `deploy --data '{"targets":["lab/shop/tls"],"dryRun":true,"report":true}'`,
  ],
  ['deploy', ['cluster lab'], `deploy --data '{"dryRun":true,"report":true}'`],
  ['discover', ['lab/shop'], `discover --data '{"dryRun":true,"report":true}'`],
  ['probe', ['shop'], `probe --data '{"certificates":["shop"],"report":true}'`],
  ['pause', ['shop'], `status --data '{"certificates":["shop"],"report":true}'`],
  ['revoke', ['revoke'], `status --data '{"report":true}'`],
  ['import', ['lab-shop-tls'], 'status'],
])('after %s failed for %j', (name, parts, command) => {
  expect(lookCommand(name, failed(...parts))).toBe(`npx serverless invoke --function ${command}`);
});

test('there is none for an event that is wrong; unknown names lead to those that are known', () => {
  const event = { what: 'issue', code: 'Event', message: 'unknown field' };
  expect(lookCommand('issue', [event])).toBeUndefined();
  const unknown = { what: 'shpo', code: 'Unknown', message: 'no' };
  expect(lookCommand('issue', [unknown])).toBe('npx serverless invoke --function status');
  expect(lookCommand('issue', [{ ...unknown, command: 'npx better' }])).toBeUndefined();
  expect(lookCommand('probe', [unknown, ...failed('blog')])).toContain('["blog"]');
});
