// What a call tells of its failures: a line for each, and commands at the end.
import { expect, test } from 'vitest';
import { CallError, describeFailures, makeCallReport } from '../../functions/runtime/failures.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { ConfigError, describeError, PartError } from '../../lib/ports/errors.ts';
import { StoreError } from '../../lib/ports/store.ts';

/** What Lambda takes of an error, which contains its message twice, and of an answer, in bytes. */
const mostErrorBytes = 256_000;
const mostAnswerBytes = 6 * 1024 * 1024;
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

function makeError(causes: readonly Error[], commands: readonly string[] = []): CallError {
  return new CallError(causes, describeFailures(causes, 'deploy'), commands);
}

test('it begins with a line for each failure, which has what, code and words, and ends with commands', () => {
  const denied = new StoreError('Denied', 'AWS denied it', {
    cause: new Error('no policy\nallows\u001b[2J it'),
  });
  const causes = [
    new PartError('lab/shop/shop-tls', denied, { command: 'npx one' }),
    new PartError('edge', new TypeError('x is undefined')),
    new StoreError('Throttled', 'AWS throttled the list'),
  ];
  const error = makeError(causes, ['npx two', 'npx one']);
  expect(error.message.split('\n')).toEqual([
    'lab/shop/shop-tls: Denied: AWS denied it: no policy allows [2J it',
    'edge: Unexpected: x is undefined',
    'deploy: Throttled: AWS throttled the list',
    'to go on, run:',
    '  npx one',
    '  npx two',
  ]);
  expect(error).toMatchObject({ errors: causes, code: 'Denied', name: 'AggregateError' });
  expect(makeError([denied])).toMatchObject({ code: 'Denied', name: 'StoreError' });
});

test('a list of mistakes is told in one line', () => {
  const [failure] = describeFailures([
    new ConfigError('Inventory', 'it has 2 mistakes:\n  one: a\n  two: b'),
  ]);
  expect(failure?.message).toBe('it has 2 mistakes: one: a; two: b');
});

test('parts that failed for one reason share a line', () => {
  const causes = Array.from(
    { length: 12 },
    (_, index) => new PartError(`lab/shop/t${index}`, new StoreError('Denied', 'no kubeconfig')),
  );
  const [first, ...others] = makeError(causes).message.split('\n');
  expect(first).toMatch(/^lab\/shop\/t0, lab\/shop\/t1, .*t9 and 2 more: Denied: no kubeconfig$/);
  expect(others).toEqual([]);
});

test('targets that one cluster refuses for one reason share a line, which names their namespaces', () => {
  const refuse = (cluster: string, namespace: string, secret: string) =>
    new PartError(
      `${cluster}/${namespace}/${secret}`,
      new ClusterError(
        'Forbidden',
        `get secrets ${namespace}/${secret} in cluster ${cluster}: add it to the role in namespace ${namespace}; or the namespace does not exist`,
      ),
    );
  const causes = [
    ...['a', 'b', 'shop', 'd', 'e', 'f', 'g'].map((namespace) => refuse('lab', namespace, 'web-tls')),
    refuse('lab', 'shop', 'other'),
    refuse('edge', 'shop', 'web-tls'),
  ];
  expect(makeError(causes).message.split('\n')).toEqual([
    'lab/a/web-tls, lab/b/web-tls, lab/shop/web-tls, lab/d/web-tls, lab/e/web-tls, lab/f/web-tls, lab/g/web-tls, lab/shop/other: Forbidden: get secrets */* in cluster lab: add it to the role in namespaces a, b, shop, d, e and 2 more; or the namespace does not exist',
    'edge/shop/web-tls: Forbidden: get secrets shop/web-tls in cluster edge: add it to the role in namespace shop; or the namespace does not exist',
  ]);
});

test('of very many failures, and of long ones in any language, it tells the beginning and the number', () => {
  const causes = Array.from(
    { length: 5_000 },
    (_, index) => new PartError(`t${index}`, new Error(`${index} ${'漢\u0001"'.repeat(2_000)}`)),
  );
  const { message } = makeError(causes);
  expect(message).toMatch(/^t0: Unexpected: 0 漢 "漢 /);
  expect(message).toMatch(/and \d+ more: the log has all of them$/);
  expect(2 * bytesOf(message)).toBeLessThan(mostErrorBytes);
  const report = makeCallReport({ text: 'x'.repeat(5_000_000) }, describeFailures(causes));
  expect(bytesOf(report)).toBeLessThan(mostAnswerBytes);
  expect(report.failures.length + (report.failuresOmitted ?? 0)).toBe(causes.length);
});

test('a report is ok without failures, unless its answer says that it is not', () => {
  expect(makeCallReport({ a: 1 }, [])).toEqual({ a: 1, ok: true, failures: [] });
  expect(makeCallReport({ ok: false, health: 'Degraded' }, [])).toMatchObject({ ok: false, failures: [] });
  const failures = describeFailures([new PartError('shop', new StoreError('Denied', 'no'))]);
  expect(makeCallReport(undefined, failures)).toEqual({
    ok: false,
    failures: [{ what: 'shop', code: 'Denied', message: 'no' }],
  });
});

test('no error says its cause twice, however often it was wrapped', () => {
  const cause = new StoreError('Denied', 'AWS denied it');
  const wrapped = new Error(`not read: ${cause.message}`, { cause });
  expect(describeError(wrapped)).toBe('not read: AWS denied it');
  expect(describeError(new PartError('shop', wrapped))).toBe('shop: not read: AWS denied it');
  expect(describeError(new AggregateError([cause, cause]))).toBe('AWS denied it');
  const refused = new StoreError('Failed', 'ca.example refused: badProfile: no longer offered');
  const explained = new Error('the profile "x" is gone: no longer offered; write another', {
    cause: refused,
  });
  expect(describeError(explained)).toBe(explained.message);
  const short = new Error('order 1 failed', { cause: new Error('a: 1') });
  expect(describeError(short)).toBe('order 1 failed: a: 1');
});
