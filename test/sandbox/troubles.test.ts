// What a person can break in the sandbox: the functions meet what it says, and no longer once it is mended.
import { Resolver } from 'node:dns/promises';
import { get } from 'node:https';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { decodeState, encodeState } from '../../lib/state/codec/tags.ts';
import type { ControlOrders } from './control.ts';
import { type OperatedSandbox, startOperatedSandbox } from './operated.ts';
import { createOrders } from './orders.ts';
import { prefix } from './sandbox.ts';
import { troubles } from './troubles.ts';

let sandbox: OperatedSandbox;
let order: ControlOrders;

beforeAll(async () => {
  sandbox = await startOperatedSandbox();
  order = createOrders(sandbox);
  sandbox.agent.start();
  await sandbox.lambda.invoke('issue', {});
  await sandbox.queues.deploy.untilEmpty();
});
afterEach(async () => {
  await order(['mend', 'all']);
  const shop = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/shop`);
  const quiet = { failures: null, error: null, nextAttempt: null, pausedSince: null, pauseReason: null };
  shop.setTags(Object.entries(encodeState(quiet)));
});
afterAll(() => sandbox?.stop());

/** What a function answers, or the message with which it failed. */
async function call(name: string, event: object = {}): Promise<string> {
  const { answer, error } = await sandbox.lambda.invoke(name, event);
  return error ? `failed: ${error.errorMessage}` : JSON.stringify(answer);
}

const deploy = () => call('deploy', { certificates: ['shop'] });
const reissue = () => call('issue', { certificates: ['shop'], force: true });
const plan = () => call('issue', { certificates: ['shop'], dryRun: true });
/** What an order would need if nothing were proved. */
const planOrder = () => {
  const shop = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/shop`);
  shop.setTags(Object.entries(encodeState({ authorizations: null })));
  return call('issue', { certificates: ['shop'], force: true, dryRun: true });
};
const stateOf = (name: string) =>
  decodeState(sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/${name}`).tags);

async function readPods(): Promise<string> {
  const pods = sandbox.kubernetes.owned('pods').map(({ status }) => JSON.stringify(status));
  return pods.every((pod) => pod.includes('"True"')) ? 'ready' : 'not ready';
}

async function lookUp(): Promise<string> {
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([sandbox.dns.address]);
  return resolver.resolveNs('example.com').then(
    (found) => found.join(),
    (error: Error) => error.message,
  );
}

async function ask(url: string): Promise<string> {
  return fetch(url).then(
    async (response) => `${response.status} ${await response.text()}`,
    (error: Error) => String(error.cause),
  );
}

/** HTTP status of the directory, whoever vouches for the CA. */
async function askAuthority(): Promise<string> {
  return new Promise((done) => {
    get(sandbox.authority.directory, { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      done(String(response.statusCode));
    }).on('error', (error) => done(error.message));
  });
}

/** What shows each trouble, and what that shows again once it is mended. */
const shown: Readonly<
  Record<string, readonly [look: () => Promise<string>, broken: RegExp, mended: RegExp]>
> = {
  cluster: [deploy, /Unreachable/, /unchanged/],
  token: [deploy, /SignInFailed/, /unchanged/],
  rights: [deploy, /Forbidden.*namespace shop/s, /unchanged/],
  namespace: [deploy, /Forbidden.*namespace shop/s, /"outcome":"delivered"|unchanged/],
  pods: [readPods, /^not ready$/, /^ready$/],
  zone: [planOrder, /no public hosted zone/, /"zones":\["example.com"\]/],
  caa: [planOrder, /other-ca\.example/, /"zones":\["example.com"\]/],
  dns: [lookUp, /ETIMEOUT/, /sandbox\.example/],
  route53: [
    () => ask(`${sandbox.route53.url}/2013-04-01/hostedzone`),
    /^400 .*Throttling/s,
    /^(403|400) (?!.*Throttling)/s,
  ],
  ca: [askAuthority, /^(ECONNRESET|socket hang up)/, /^200$/],
  'ca-refuses': [reissue, /policy forbids issuing/, /"issued"/],
  'ca-limits': [reissue, /too many certificates already issued/, /"issued"/],
  // What is paused at the CA is paused here, too, until a person resumes it.
  'ca-pauses': [reissue, /paused/i, /paused since/],
  secrets: [() => call('status'), /failed: .*(Rate exceeded|Throttling)/s, /^\{/],
  'agent-silent': [() => call('status', { report: true }), /silent for 18\d minutes/, /^(?!.*silent for)/s],
  orphan: [
    async () =>
      String(
        sandbox.secretsManager.vault.find(`${prefix}/certificates/former`) && stateOf('former').notAfter,
      ),
    /GMT/,
    /undefined/,
  ],
  held: [
    () => call('status', { report: true }),
    /"name":"fallen".*"Expired|Abandoned".*lab\/shop\/fallen-tls/s,
    /^(?!.*"fallen")/s,
  ],
  old: [plan, /"decision":"order"/, /"decision":"(none|wait|keep|unchanged)"|"well"/],
  pause: [async () => String(stateOf('shop').pausedSince), /GMT/, /undefined/],
};

test('each has something that shows it', () => {
  expect([...Object.keys(shown), 'agent-failing'].toSorted()).toEqual(Object.keys(troubles).toSorted());
});

test.each(Object.entries(shown))(
  '%s',
  async (name, [look, broken, mended]) => {
    expect(await order(['break', name])).toBe(`broken: ${name}: ${troubles[name]?.what}`);
    expect(await order(['break', name])).toContain(`broken: ${name}: `);
    await expect.poll(look, { timeout: 10_000 }).toMatch(broken);
    expect(await order(['mend', name])).toBe('nothing is broken');
    await expect.poll(look, { timeout: 10_000, interval: 300 }).toMatch(mended);
  },
  150_000,
);

test('agent-failing shows in the report of the agent', async () => {
  const problem = () =>
    sandbox.secretsManager.vault.mustFind(`${prefix}/agents/edge`).tags.get('certrelay:problem');
  await order(['break', 'agent-failing']);
  await expect.poll(problem, { timeout: 60_000 }).toMatch(/\w/);
  await order(['mend', 'all']);
  await expect.poll(problem, { timeout: 120_000 }).toBe('');
}, 200_000);

test('what the product has cured is broken anew', async () => {
  await order(['break', 'old']);
  await call('issue', { certificates: ['shop'] });
  expect(await plan()).toMatch(/"decision":"keep"/);
  expect(await order(['break', 'old'])).toBe(`broken: old: ${troubles.old?.what}`);
  expect(await plan()).toMatch(/"decision":"order"/);
}, 100_000);

test('what there is can be broken several times, and mended in one go', async () => {
  expect(await order(['break', 'cluster', 'zone'])).toMatch(/^broken: cluster: .*\nbroken: zone: .*$/);
  expect(await order(['mend', 'all'])).toBe('nothing is broken');
  expect(await order(['mend', 'all'])).toBe('nothing is broken');
  expect(await order(['mend', 'zone'])).toBe('nothing is broken');
});
