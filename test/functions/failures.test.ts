// How an invocation ends in which something failed.
import { expect, test } from 'vitest';
import { throwFailures } from '../../functions/invocation.ts';

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
