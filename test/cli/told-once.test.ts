// What a function says of a failure, both of a certificate and as a failure, is told once.
import { expect, it, onTestFinished } from 'vitest';
import { certrelay, startScriptedLambda } from './harness.ts';

const denial = `AWS denied it: the role needs a right; ${'because no policy allows it, '.repeat(10)}that is all`;
/** A function cuts the words of a failure before those of a line. */
const cut = `${denial.slice(0, 150)}…`;
const order = { name: 'shop', decision: 'order', outcome: 'failed', reason: 'Forced', message: denial };
const target = { target: 'lab/shop/shop-tls', outcome: 'pending', message: denial };

async function run(line: string, answer: object, columns?: number) {
  const body = JSON.stringify({ ok: false, ...answer });
  const lambda = await startScriptedLambda(() => ({ body }));
  onTestFinished(() => lambda.stop());
  return certrelay(line, { env: lambda.env, ...(columns ? { columns } : {}) });
}

const failed = (message: string) => ({
  failures: [{ what: 'shop', code: 'Denied', message, command: 'npx certrelay why shop' }],
});

it.each([
  ['renew shop --force', { certificates: [order] }, undefined],
  ['renew shop --force -o wide', { certificates: [order] }, undefined],
  ['renew shop --force --dry-run', { certificates: [order] }, undefined],
  ['renew shop --force --dry-run', { certificates: [order] }, 60],
  ['deploy shop', { certificates: [{ name: 'shop', targets: [target] }] }, undefined],
  ['deploy shop -o wide', { certificates: [{ name: 'shop', targets: [target] }] }, undefined],
  ['deploy shop --dry-run', { certificates: [{ name: 'shop', targets: [target] }] }, undefined],
])('by %s, whole, and with the command to go on with', async (line, answer, columns) => {
  for (const message of [denial, cut]) {
    const { shown, code } = await run(line, { ...answer, ...failed(message) }, columns);
    expect(shown.replace(/\s+/g, ' ').split(denial.slice(0, 150)).length, shown).toBe(2);
    if (columns === undefined) expect(shown).toContain('that is all');
    expect(shown).toContain('to go on, run:\n  npx certrelay why shop\n');
    expect(code).toBe(1);
  }
});

it('what the line of a certificate has beside it stays there', async () => {
  const message = `${denial}; the next attempt goes to issuer other`;
  const { out, err } = await run('renew shop', { certificates: [{ ...order, message }], ...failed(denial) });
  expect(out).toBe('certificate/shop failed: the next attempt goes to issuer other\n');
  expect(err).toContain(`shop: Denied: ${denial}\n`);
});
