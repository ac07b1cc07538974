// The deploy tool as a person uses it at a terminal: its two ways to call a function, against the sandbox.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeService, runServerless } from '../infra/packaged.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  folder = await makeService('own');
  const shop = { name: 'shop', domains: ['shop.example.com'], issuer: 'default', key: 'ecdsa-p256' };
  sandbox = await startSandbox({ certificates: [shop] });
});
afterAll(async () => {
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
});

async function call(...args: readonly string[]): Promise<unknown> {
  const printed = await runServerless(args, folder, sandbox.environment);
  const report = printed.slice(printed.lastIndexOf('\n{\n') + 1);
  return JSON.parse(report.slice(report.indexOf('{')));
}

describe('serverless', () => {
  it('invoke local runs a function in the terminal, with the terminal’s environment', async () => {
    expect(await call('invoke', 'local', '-f', 'issue', '--data', '{"dryRun": true}')).toMatchObject({
      certificates: [{ name: 'shop', decision: 'order', reason: 'Missing' }],
    });
  });

  it('M01 invoke calls the deployed function: force orders one certificate', async () => {
    const event = JSON.stringify({ certificates: ['shop'], force: true });
    expect(await call('invoke', '-f', 'issue', '--data', event)).toMatchObject({
      certificates: [{ name: 'shop', outcome: 'issued' }],
    });
  });
});
