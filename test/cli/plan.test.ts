// `certrelay plan` says once what is in the way, and all of it.
import { expect, onTestFinished, test } from 'vitest';
import { certrelay, startScriptedLambda } from './harness.ts';

const words = `example.com. NS: DNS leads elsewhere; ${'set the records. '.repeat(20)}at its registrar`;
const orders = {
  ok: false,
  certificates: [{ name: 'shop', decision: 'wait', reason: 'PreflightFailed', message: words }],
  failures: [{ what: 'shop', code: 'PreflightFailed', message: words, command: 'npx certrelay plan shop' }],
};

test.each<[string, string, number | undefined]>([
  ['in a pipe', 'plan shop', undefined],
  ['in a wide table', 'plan shop -o wide', 80],
  ['on a narrow terminal', 'plan shop', 80],
  ['on a very narrow one', 'plan shop', 40],
])('%s what is in the way is there whole and once, and the exit code tells it', async (_, line, columns) => {
  const lambda = await startScriptedLambda((name) => ({
    body: JSON.stringify(name === 'issue' ? orders : { ok: true, failures: [] }),
  }));
  onTestFinished(() => lambda.stop());
  const { shown, code } = await certrelay(line, { env: lambda.env, ...(columns ? { columns } : {}) });
  expect(shown.replace(/\s+/g, ' ').split(words)).toHaveLength(2);
  expect(code).toBe(1);
});
