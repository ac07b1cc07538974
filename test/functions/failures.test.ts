// How an invocation ends in which something failed.
import { expect, test } from 'vitest';
import { throwFailures } from '../../functions/runtime/failures.ts';

test('it throws once, with what failed and why in its message, and not at all where nothing failed', () => {
  const cause = new Error('AWS denied it');
  const failures = [new Error('the kubeconfig cannot be read', { cause }), new Error('no answer')];
  expect(() => throwFailures(failures, 'targets')).toThrow(
    expect.objectContaining({
      errors: failures,
      message: 'targets that failed: 2\n  the kubeconfig cannot be read: AWS denied it\n  no answer',
    }),
  );
  expect(() => throwFailures([], 'targets')).not.toThrow();
});

test('of very many failures, and of long ones, it tells the beginning and the number', () => {
  const failures = Array.from(
    { length: 5_000 },
    (_, index) => new Error(`target ${index}: ${'x'.repeat(50_000)}`),
  );
  const message = (() => {
    try {
      throwFailures(failures, 'targets');
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    return '';
  })();
  expect(message).toMatch(/^targets that failed: 5000\n {2}target 0: x+… \(50010 characters\)\n/);
  expect(message).toMatch(/and 4900 more: see the log$/);
  expect(message.length).toBeLessThan(120_000);
});
