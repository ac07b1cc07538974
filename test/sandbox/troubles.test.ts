// What a person can break in the sandbox: the functions meet what it says, and no longer once it is mended.
import { Resolver } from 'node:dns/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { degradedReasons, otherReasons } from '../../lib/policy/health/reasons.ts';
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
  await deploy();
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
const status = () => call('status', { report: true });
/** Rings the channel, and what status says then: a channel is well again once a notice has arrived. */
const ring = async () => `${await call('notify', { test: true })} ${await status()}`;
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

/** HTTP status of a URL, whoever vouches for its server. */
async function askAnybody(url: string): Promise<string> {
  return new Promise((done) => {
    const signal = AbortSignal.timeout(500);
    get(url, { rejectUnauthorized: false, agent: false, signal }, (response) => {
      response.resume();
      done(String(response.statusCode));
    }).on('error', (error) => done(signal.aborted ? 'timeout' : error.message));
  });
}

const askAuthority = () => askAnybody(sandbox.authority.directory);
const askCluster = () => askAnybody(`${sandbox.kubernetes.server}/api/v1/namespaces/shop/secrets`);

/** What shows each trouble, and what that shows again once it is mended. */
const shown: Readonly<
  Record<string, readonly [look: () => Promise<string>, broken: RegExp, mended: RegExp]>
> = {
  cluster: [deploy, /Unreachable/, /unchanged/],
  'cluster-hangs': [askCluster, /timeout/, /^401/],
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
  'function-rights': [reissue, /Denied.*PutSecretValue|PutSecretValue.*Denied/s, /"issued"/],
  'function-silent': [status, /"reason":"NotRunning"/, /^(?!.*"NotRunning")/s],
  'channel-hangs': [ring, /no answer within 15 s".*"ChannelFailing"/s, /^(?!.*"ChannelFailing")/s],
  'channel-errors': [ring, /answered 500: out of order".*"ChannelFailing"/s, /^(?!.*"ChannelFailing")/s],
  'channel-gone': [ring, /answered 404: no_service".*"ChannelFailing"/s, /^(?!.*"ChannelFailing")/s],
  entry: [status, /"name":"shop"[^}]*"reason":"Abandoned"/, /^(?!.*"Abandoned")/s],
  forbidden: [status, /"name":"stranger"[^}]*"reason":"NotAllowed"/, /^(?!.*"stranger")/s],
  revoked: [status, /"name":"depot"[^}]*"reason":"Revoked"/, /^(?!.*"Revoked")/s],
  served: [status, /"name":"depot"[^}]*"reason":"NotServed"/, /^(?!.*"NotServed")/s],
  tags: [status, /"name":"depot"[^}]*"reason":"Expired"/, /^(?!.*"Expired")/s],
  'agent-silent': [status, /silent for 18\d minutes/, /^(?!.*silent for)/s],
  orphan: [
    async () =>
      String(
        sandbox.secretsManager.vault.find(`${prefix}/certificates/former`) && stateOf('former').notAfter,
      ),
    /GMT/,
    /undefined/,
  ],
  held: [status, /"name":"fallen".*"Expired|Abandoned".*lab\/shop\/fallen-tls/s, /^(?!.*"fallen")/s],
  old: [plan, /"decision":"order"/, /"decision":"(none|wait|keep|unchanged)"|"well"/],
  pause: [async () => String(stateOf('shop').pausedSince), /GMT/, /undefined/],
};

/** Nothing is noted of these by a look, and of `secrets` never. */
const looksOnly = new Set('cluster-hangs pods zone caa dns route53 ca secrets'.split(' '));

test('each has something that shows it', () => {
  expect([...Object.keys(shown), 'agent-failing'].toSorted()).toEqual(Object.keys(troubles).toSorted());
});

test.each(Object.entries(shown))(
  '%s',
  async (name, [look, broken, mended]) => {
    expect(await order(['break', name])).toBe(`broken: ${name}: ${troubles[name]?.what}`);
    expect(await order(['break', name])).toContain(`broken: ${name}: `);
    expect(await order(['broken'])).toMatch(new RegExp(`^broken: ${name}: [^\n]*$`));
    await expect.poll(look, { timeout: 40_000 }).toMatch(broken);
    if (!looksOnly.has(name)) await expect.poll(status).toContain(`"reason":"${troubles[name]?.shows[0]}"`);
    expect(await order(['mend', name])).toBe(`mended: ${name}\nnothing is broken`);
    await expect.poll(look, { timeout: 30_000, interval: 300 }).toMatch(mended);
  },
  150_000,
);

test.each([
  'zone',
  'caa',
  'dns',
  'route53',
  'ca',
])('%s shows in status when nothing is proved and stored yet', async (name) => {
  const { vault } = sandbox.secretsManager;
  vault.remove(vault.mustFind(`${prefix}/certificates/shop`));
  sandbox.authority.forgetAccounts();
  await order(['break', name]);
  // The queue may call it at the same time, and one of both waits for the other.
  const tryAgain = async () => {
    await call('issue', { certificates: ['shop'] });
    return status();
  };
  await expect.poll(tryAgain, { timeout: 90_000 }).toContain(`"reason":"${troubles[name]?.shows[0]}"`);
  await order(['mend', 'all']);
  await expect.poll(reissue, { timeout: 90_000 }).toContain('"issued"');
  expect(stateOf('shop').problem).toBeUndefined();
}, 200_000);

test('agent-failing shows in the report of the agent', async () => {
  const problem = () =>
    sandbox.secretsManager.vault.mustFind(`${prefix}/agents/edge`).tags.get('certrelay:problem');
  await order(['break', 'agent-failing']);
  await expect.poll(problem, { timeout: 60_000 }).toMatch(/\w/);
  await order(['mend', 'all']);
  await expect.poll(problem, { timeout: 120_000 }).toBe('');
}, 200_000);

test('what the product or a person has cured is broken no more, and mending goes on past it', async () => {
  await order(['break', 'old', 'tags']);
  await call('issue');
  await order(['break', 'entry', 'cluster', 'caa']);
  const [name, type] = ['shop.example.com.', 'CAA'];
  const [set] = sandbox.route53.list('example.com').filter((one) => one.name === name && one.type === type);
  if (set) sandbox.route53.edit('example.com', [{ action: 'DELETE', set }]);
  expect(await order(['broken'])).toMatch(/^broken: entry: .*\nbroken: cluster: .*$/);
  await order(['break', 'tags']);
  await call('issue', { certificates: ['depot'] });
  expect(await order(['mend', 'tags', 'zone', 'entry', 'cluster'])).toBe(
    'cured already: tags\nnot broken: zone\nmended: entry\nmended: cluster\nnothing is broken',
  );
}, 100_000);

test('what the product has cured is broken anew', async () => {
  await order(['break', 'old']);
  await call('issue', { certificates: ['shop'] });
  expect(await plan()).toMatch(/"decision":"keep"/);
  expect(await order(['break', 'old'])).toBe(`broken: old: ${troubles.old?.what}`);
  expect(await plan()).toMatch(/"decision":"order"/);
}, 100_000);

test('all of it can be broken at once, in either order, and mended in one go', async () => {
  for (const names of [Object.keys(troubles), Object.keys(troubles).toReversed()]) {
    const broken = await order(['break', ...names]);
    expect(broken.split('\n').map((line) => line.split(': ')[1])).toEqual(names);
    const mended = await order(['mend', 'all']);
    expect(mended).toMatch(/\nnothing is broken$/);
  }
  expect(await order(['mend', 'all'])).toBe('nothing is broken');
}, 100_000);

test('what cannot be broken or mended is said, and stops nothing else', async () => {
  const text = await readFile(sandbox.inventoryPath, 'utf8');
  await writeFile(sandbox.inventoryPath, text.replace('name: shop', 'name: other'));
  const refused = order(['break', 'entry', 'zone']);
  await expect(refused).rejects.toThrow(/^entry could not be broken: .* no entry shop.*\nbroken: zone: .*$/);
  await writeFile(sandbox.inventoryPath, text);
  await order(['break', 'entry']);
  await writeFile(sandbox.inventoryPath, 'certificates: 1');
  await expect(order(['mend', 'entry', 'zone'])).rejects.toThrow(
    /^entry could not be mended: .* mend it with an editor\nmended: zone\nbroken: entry: .*$/,
  );
  await writeFile(sandbox.inventoryPath, text);
  expect(await order(['mend', 'all'])).toBe('cured already: entry\nnothing is broken');
});

test.each([
  [['mend'], /^name what to mend, or all:/],
  [['mend', 'all', 'zone'], /^say all alone;/],
  [['break', 'all'], /^all is for mend: name what to break;/],
  [['broken', 'zone'], /^broken takes no names/],
])('%j is refused in words', async (words, refusal) => {
  await expect(order(words)).rejects.toThrow(refusal);
});

/** Reasons that nothing here leads to. */
const unshown: Readonly<Record<string, string>> = {
  RetirementStuck: 'eight days after a person has retired something whose cluster is gone',
  RevocationFailing: 'a revocation that the CA has refused for a week',
  NameTaken: 'the webhook refuses a name that is taken; only two stores that were joined have one',
  Mismatch: 'is NotServed, by a certificate for other names',
  AgentNeverSeen: 'an inventory that names an agent which nobody has started, by an editor',
  AgentDeregistered: 'a person has deregistered it',
};

test('each bad reason of status has something that leads to it', () => {
  const shows = new Set(Object.values(troubles).flatMap((trouble) => trouble.shows));
  const missing = [...degradedReasons, ...otherReasons].filter((reason) => !shows.has(reason));
  expect(missing.toSorted()).toEqual(Object.keys(unshown).toSorted());
});

test('README.md has each', async () => {
  const text = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z0-9-]+)`/g)]);
  expect(named.map(([, name]) => name)).toEqual(expect.arrayContaining(Object.keys(troubles)));
});
