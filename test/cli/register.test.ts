// `certrelay register` and `unregister`: against the webhook of the sandbox, and against whatever else may
// answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../infra/cli/errors.ts';
import { readClaim, verifySignature } from '../../lib/adapters/webhook/signature.ts';
import { findBuilt } from '../built.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { certrelay, keys, runProcess, type Situation } from './harness.ts';
import { json, member, startScriptedAws, xml } from './scripted-aws.ts';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const second = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certrelay-register-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe('a customer', () => {
  let sandbox: Sandbox;
  let here: Situation;
  beforeAll(async () => {
    sandbox = await startSandbox({
      namespaces: ['shop'],
      certificates: [{ name: 'own', domains: ['own.example.com'], issuer: 'default' }],
      registration: {
        zones: ['example.com'],
        issuer: 'default',
        targets: [{ cluster: 'lab', namespace: 'shop', secret: '{name}-tls' }],
      },
    });
    here = { env: sandbox.environment };
    // The bundles are built first, if nobody has built them yet.
  }, 300_000);
  afterAll(() => sandbox.stop());

  it('is registered once, by the AWS secret of the installation, and listed as the webhook’s', async () => {
    const line = 'register shop --domain shop.example.com www.example.com';
    const rehearsed = await certrelay(`${line} --dry-run`, here);
    expect(rehearsed).toMatchObject({ code: 0, err: '' });
    expect(rehearsed.out).toMatch(/^certificate\/shop would be registered.*: shop\.example\.com, www/);
    const first = await certrelay(line, here);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toBe('certificate/shop registered: stored; the certificate is being ordered\n');
    const again = await certrelay(line, here);
    expect(again.out).toMatch(/^certificate\/shop unchanged: registered before/);
    expect((await certrelay(`${line} --dry-run`, here)).out).toMatch(/shop would be unchanged/);
    expect((await certrelay('list', here)).out).toMatch(
      /\nshop +webhook .*lab\/shop\/shop-tls +shop\.example\.com/,
    );
    expect((await certrelay('why shop', here)).out).toMatch(/\nTarget lab\/shop\/shop-tls\n/);
  });

  it('is registered by a file, and its answer is JSON', async () => {
    const file = await write(
      'depot.yaml',
      'domains: [depot.example.com]\ntargets: [{cluster: lab, namespace: shop, secret: depot}]\n',
    );
    const { out, code } = await certrelay(`register depot -f ${file} -o json`, here);
    expect(JSON.parse(out)).toMatchObject({ ok: true, failures: [], name: 'depot', status: 'ordering' });
    expect(code).toBe(0);
    expect((await certrelay('list', here)).out).toMatch(/\ndepot +webhook +depot\.example\.com\n/);
  });

  it.each([
    ['register shop --domain else.example.com', 1, '"shop" is registered for other domains'],
    ['register shop --domain else.example.com --dry-run', 1, 'would be refused: it is registered for shop'],
    ['register own --domain else.example.com', 1, 'the name "own" is taken'],
    ['register other --domain a.example.org b.example.com', 2, 'domains[0]: '],
    ['register other --domain a.example.com --target lab/kube-system/x', 2, 'targets[0]'],
    ['unregister own', 2, 'nothing is registered here under this name'],
    ['unregister own --yes', 2, 'nothing is registered here under this name; "npx certrelay list" says'],
    ['unregister own --dry-run', 2, 'nothing is registered here'],
  ])('%s is refused with %d and what to do', async (line, code, words) => {
    const ended = await certrelay(line, here);
    expect(ended.shown).toContain(words);
    expect(ended.code).toBe(code);
  });

  it('tells a refusal as JSON, too', async () => {
    const { out, code } = await certrelay('register own --domain else.example.com -o json', here);
    const failures = [{ what: 'own', code: 'Http409', message: expect.stringContaining('is taken') }];
    expect(JSON.parse(out)).toMatchObject({ ok: false, failures });
    expect(code).toBe(1);
  });

  it('of another secret, or of a clock that is off, is told apart, and no secret is shown', async () => {
    const file = await write('secret', `${secret}\n`);
    const other = await certrelay(`register new --domain new.example.com --secret-file ${file}`, here);
    expect(other).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining('sign with the secret of this'),
    });
    const behind = { ...here, now: () => new Date(Date.now() - 900_000) };
    const late = await certrelay('register new --domain new.example.com', behind);
    expect(late).toMatchObject({
      code: 3,
      err: expect.stringContaining('the clock of this machine is 15 minutes behind: set it'),
    });
    expect(`${other.shown}${late.shown}`).not.toContain('whsec_');
    // Registered a moment ago by the right clock, given up by one that is behind.
    const early = await certrelay('unregister shop --yes', {
      ...here,
      now: () => new Date(Date.now() - 200_000),
    });
    expect(early).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'sent before the name was registered last; the clock of this machine is 3 minutes behind',
      ),
    });
  });

  it('is given up once a person has typed the name, and that is told again and to who registers', async () => {
    expect(await certrelay('unregister shop', here)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--yes'),
    });
    expect(await certrelay('unregister shop', { ...here, answer: 'shpo' })).toMatchObject({ code: 130 });
    expect((await certrelay('unregister shop --dry-run', here)).out).toBe(
      'certificate/shop would be given up\n',
    );
    const given = await certrelay('unregister shop', { ...here, answer: 'shop' });
    expect(given.out).toMatch(
      /^certificate\/shop given up: it is being given up; the name is free from \d{4}-\d\d-\d\d \d\d:\d\d/,
    );
    expect(given.code).toBe(0);
    expect((await certrelay('unregister shop --yes', here)).out).toMatch(
      /^certificate\/shop unchanged: it is/,
    );
    expect((await certrelay('unregister shop --dry-run', here)).out).toMatch(
      /^certificate\/shop unchanged: it is/,
    );
    const again = await certrelay('register shop --domain shop.example.com', here);
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is being given up and is taken until \d{4}-\d\d-\d\d \d\d:\d\d /),
    });
    expect((await certrelay('register shop --domain shop.example.com --dry-run', here)).code).toBe(1);
  });
});

interface Answered {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Somebody who answers at the URL. Notes what was sent. */
async function answerAt(answer: Answered) {
  const sent: { method: string; url: string; headers: ReadonlyMap<string, string>; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const headers = new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      sent.push({ method: request.method ?? '', url: request.url ?? '', headers, body });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(stop);
  return {
    url,
    sent,
    stop,
    env: { ...keys, CERTRELAY_WEBHOOK_URL: `${url}/domains`, CERTRELAY_WEBHOOK_SECRET: secret },
  };
}

const register = 'register shop --domain shop.example.com';

describe('an answer that is not the webhook’s', () => {
  it.each<readonly [string, Answered, number, string]>([
    [
      'a redirect',
      { status: 302, headers: { location: 'https://sso.example/in' } },
      2,
      'redirects to https://sso.example/',
    ],
    [
      'a page',
      { status: 200, body: '<!DOCTYPE html><b>Welcome' },
      2,
      'answered 200 with a page of HTML: that is not the webhook',
    ],
    ['a page of an error', { status: 502, body: '<html>' }, 3, 'it has a failure; send it again later'],
    ['no answer at all', { status: 200, body: '' }, 2, 'something that is not JSON'],
    ['a list', { status: 200, body: '[]' }, 2, 'something that is not JSON'],
    ['what never ends', { status: 200, body: ' '.repeat(300_000) }, 2, 'something that is not JSON'],
    [
      'another API',
      { status: 404, body: '{"message":"Not Found"}' },
      2,
      'it must be that of the deploy, with /domains',
    ],
    ['one too many', { status: 429, body: '{"message":"Too Many Requests"}' }, 3, 'send it again later'],
    ['a closed webhook', { status: 403, body: '{"message":"no section"}' }, 1, 'no section'],
    [
      'a failure there',
      { status: 500, body: '{"message":"failed","requestId":"r-7"}' },
      3,
      'the log of register has more under r-7',
    ],
    ['words for a terminal', { status: 409, body: '{"message":"a\\u001b[2Jb\\nc"}' }, 1, 'shop: a [2Jb c\n'],
  ])('%s is told in words', async (_, answer, code, words) => {
    const { env, sent } = await answerAt(answer);
    const ended = await certrelay(register, { env });
    expect(ended).toMatchObject({ code, out: '', err: expect.stringContaining(words) });
    expect(ended.err.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(sent).toHaveLength(1);
  });

  it('is nobody’s where nobody listens', async () => {
    const { url, env, stop } = await answerAt({ status: 200 });
    stop();
    const ended = await certrelay(register, { env });
    const words = `${new URL(url).host} cannot be reached (ECONNREFUSED): check the network and --url`;
    expect(ended).toMatchObject({ code: 5, out: '', err: `${words}\n` });
  });
});

describe('a refusal', () => {
  const minute = 60_000;
  it.each<readonly [string, string, object, number, RegExp]>([
    [
      'of a signature, the clock off by less than is allowed',
      register,
      {},
      2 * minute,
      /: no; sign with the secret/,
    ],
    [
      'of a signature by an older installation',
      register,
      {},
      6 * minute,
      /: no; the clock .* 6 minutes behind: set/,
    ],
    [
      'of the time',
      register,
      { reason: 'WrongTime' },
      5 * minute,
      /: no; the clock .* 5 minutes behind: set/,
    ],
    ['of the time that nobody measures', register, { reason: 'WrongTime' }, 0, /: no; set the clock of this/],
    ['of what the operator keeps', 'unregister shop --yes', { reason: 'KeptByOperator' }, minute, /: no\n$/],
    [
      'of what was sent before',
      'unregister shop --yes',
      { reason: 'SentTooEarly' },
      minute,
      /60 seconds behind: set/,
    ],
    [
      'of what was sent a moment before',
      'unregister shop --yes',
      { reason: 'SentTooEarly' },
      0,
      /: no; send it again/,
    ],
  ])('%s says what helps', async (_, line, fields, behindMs, words) => {
    const at = new Date('2026-11-30T12:00:00Z');
    const headers = { date: at.toUTCString() };
    const status = line === register ? 401 : 409;
    const { env } = await answerAt({ status, headers, body: JSON.stringify({ message: 'no', ...fields }) });
    const ended = await certrelay(line, { env, now: () => new Date(at.getTime() - behindMs) });
    expect(ended.err).toMatch(words);
  });

  it('of another kind names the certificate once', async () => {
    const { env } = await answerAt({ status: 400, body: '{"message":"the body is not JSON"}' });
    expect((await certrelay(register, { env })).err).toBe('shop: the body is not JSON (400)\n');
  });
});

describe('what --dry-run says of a name that is registered', () => {
  const two = 'register shop --domain Shop.Example.COM. www.example.com shop.example.com';
  const standing = { name: 'shop', status: 'issued', domains: ['www.example.com', 'shop.example.com'] };
  it.each<readonly [string, string, object, number, string]>([
    [
      'the same domains, written otherwise',
      two,
      standing,
      0,
      'would be unchanged: it is registered, and issued',
    ],
    [
      'other domains',
      'register shop --domain b.example.com',
      standing,
      1,
      'would be refused: it is registered for www.example.com, shop.example.com',
    ],
    [
      'domains that are not told',
      two,
      { name: 'shop', status: 'ordering' },
      0,
      'it is registered, and ordering; whether with the same domains is not known',
    ],
    [
      'targets of its own',
      `${two} --target lab/shop/other`,
      standing,
      0,
      'would be unchanged or refused: it is registered, and issued; whether with the same targets is not known',
    ],
    [
      'no domain at all',
      'register shop --domain nothing',
      standing,
      1,
      'would be refused: domains: "nothing" has one label only',
    ],
    [
      'what the operator keeps',
      two,
      { ...standing, keptByOperator: true },
      1,
      'would be refused: the operator keeps this certificate; ask the operator',
    ],
    [
      'giving up what the operator keeps',
      'unregister shop',
      { ...standing, keptByOperator: true },
      1,
      'would be refused: the operator keeps this certificate; ask the operator',
    ],
  ])('%s', async (_, line, body, code, words) => {
    const { env, sent } = await answerAt({ status: 200, body: JSON.stringify(body) });
    const ended = await certrelay(`${line} --dry-run`, { env });
    expect(ended).toMatchObject({ code, err: '', out: expect.stringContaining(words) });
    expect(sent.map(({ method }) => method)).toEqual(['GET']);
  });
});

it('finds URL and secrets by the stack, and signs with each secret while they are exchanged', async () => {
  const { url, sent } = await answerAt({ status: 202, body: '{"name":"shop","message":"stored"}' });
  const asked: string[] = [];
  const outputs = `<Stacks><member><StackName>certrelay-dev</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${member({ OutputKey: 'HttpApiUrl', OutputValue: url })}</Outputs></member></Stacks>`;
  const aws = await startScriptedAws((action, _about, body) => {
    asked.push(action);
    if (action === 'Invoke') return json({ installation: 'certrelay', ok: false, failures: [] });
    if (action === 'DescribeStacks') return xml(action, outputs);
    expect(JSON.parse(body)).toEqual({ SecretId: 'certrelay/webhook' });
    return json({ SecretString: `${secret} ${second}` });
  });
  onTestFinished(() => aws.stop());
  expect(await certrelay(register, { env: aws.env })).toMatchObject({ code: 0, err: '' });
  expect(asked.toSorted()).toEqual(['DescribeStacks', 'GetSecretValue', 'Invoke']);
  const [request] = sent;
  expect(request).toMatchObject({ method: 'PUT', url: '/domains/shop' });
  expect(JSON.parse(request?.body ?? '')).toEqual({
    method: 'PUT',
    name: 'shop',
    domains: ['shop.example.com'],
  });
  const read = readClaim(request?.headers ?? new Map(), new Date());
  if (!('claim' in read)) throw new Error(read.problem);
  for (const one of [secret, second])
    expect(verifySignature(read.claim, request?.body ?? '', [one])).toBe(true);
});

it.each([
  ['DescribeStacks', 'ServiceUnavailable', 3, 'or give --url, or set CERTRELAY_WEBHOOK_URL'],
  ['DescribeStacks', 'AccessDenied', 3, 'you need cloudformation:DescribeStacks; or give --url'],
  [
    'GetSecretValue',
    'AccessDeniedException',
    3,
    'you need secretsmanager:GetSecretValue on certrelay/webhook; or give --secret-file, or set',
  ],
  ['GetSecretValue', 'ResourceNotFoundException', 3, 'there is no AWS secret certrelay/webhook'],
])('a refusal of %s with %s says which right, or how to do without', async (refused, problem, code, words) => {
  const aws = await startScriptedAws((action) => {
    if (action === refused) return { code: problem };
    if (action === 'Invoke') return json({ installation: 'certrelay', ok: true, failures: [] });
    if (action === 'DescribeStacks') return xml(action, '<Stacks></Stacks>');
    return json({ SecretString: secret });
  });
  onTestFinished(() => aws.stop());
  const env =
    refused === 'DescribeStacks' ? aws.env : { ...aws.env, CERTRELAY_WEBHOOK_URL: 'https://x.example' };
  expect(await certrelay(register, { env })).toMatchObject({ code, err: expect.stringContaining(words) });
});

it.each([
  ['register shop', 'say the domains, as in: register shop --domain'],
  ['register Shop --domain a.example', 'cannot be a certificate'],
  [`${register} --target lab/shop`, '--target must be cluster/namespace/secret'],
  [`${register} -f x.yaml`, 'leave --domain and --target out'],
  ['register shop -f /nowhere/x.yaml', '/nowhere/x.yaml cannot be read: there is no such file'],
  ['register shop -f /', '/ cannot be read: it is a folder'],
  [
    `${register} --secret-file /nowhere/secret`,
    '--secret-file /nowhere/secret cannot be read: there is no such',
  ],
  [
    `${register} --stage prod`,
    'CERTRELAY_WEBHOOK_URL and CERTRELAY_WEBHOOK_SECRET are set and say which webhook',
  ],
  [`${register} --region us-east-1`, 'as --region does; leave the option out, or unset them'],
  [
    `${register} --endpoint-url http://127.0.0.1:9 --url http://127.0.0.1:9`,
    'WEBHOOK_SECRET is set and says',
  ],
  ['unregister shop --yes --installation certrelay-prod', 'as --installation does'],
  [`${register} --url http://hooks.example/domains`, 'must begin with https://'],
  [`${register} --url https://user@hooks.example/domains`, 'must begin with https://'],
  [`register shop --domain ${'a'.repeat(17_000)}.example`, 'and the webhook takes 16384'],
])('%s is wrong usage, and nothing is sent', async (line, words) => {
  const { env, sent } = await answerAt({ status: 202, body: '{}' });
  expect(await certrelay(line, { env })).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining(words),
  });
  expect(sent).toEqual([]);
});

it.each([
  ['name: other\ndomains: [a.example]', 'is about another name than shop'],
  ['targets: []', 'must be JSON or YAML with domains'],
  ['domains: [', 'cannot be read'],
])('a file with %j is refused', async (text, words) => {
  const { env, sent } = await answerAt({ status: 202, body: '{}' });
  const ended = await certrelay(`register shop -f ${await write('request.yaml', text)}`, { env });
  expect(ended).toMatchObject({ code: 2, out: '', err: expect.stringContaining(words) });
  expect(sent).toEqual([]);
});

it('a file may be stdin', async () => {
  const { env, sent } = await answerAt({ status: 202, body: '{"name":"shop","message":"stored"}' });
  const ended = await runProcess(['register', 'shop', '-f', '-'], env, (_, write) =>
    write('{"domains":["shop.example.com"]}'),
  );
  expect(ended).toEqual({ code: 0, out: 'certificate/shop registered: stored\n', err: '' });
  expect(JSON.parse(sent[0]?.body ?? '')).toMatchObject({ domains: ['shop.example.com'] });
});

it('that is waited for on stdin ends at Ctrl-C', async () => {
  const main = join((await findBuilt('cli')) ?? 'dist/cli', 'main.js');
  const child = spawn(process.execPath, [main, 'register', 'shop', '-f', '-'], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = once(child, 'close');
  // More than the pipe holds: once it is taken, the command reads.
  child.stdin.write('#'.repeat(200_000));
  await once(child.stdin, 'drain');
  child.kill('SIGINT');
  expect(await ended).toEqual([exitCodes.cancelled, null]);
  expect(err).toBe('cancelled\n');
});

it('beside an endpoint of Lambda alone, says what else it must know', async () => {
  const env = { AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:9' };
  const unknown = await certrelay(register, { env: { ...env, CERTRELAY_WEBHOOK_SECRET: secret } });
  expect(unknown).toMatchObject({
    code: 2,
    err: expect.stringMatching(/URL of the webhook is not known.*CERTRELAY_WEBHOOK_URL/),
  });
  const urlSet = { ...env, CERTRELAY_WEBHOOK_URL: 'https://hooks.example' };
  const unsigned = await certrelay(register, { env: urlSet });
  expect(unsigned).toMatchObject({
    code: 2,
    err: expect.stringMatching(/secret of the webhook is not known.*--secret-file/),
  });
  // What is advised beside an option that says which installation is nothing that is refused then.
  const line = `${register} --stage prod --secret-file ${await write('own', secret)}`;
  const named = await certrelay(line, { env });
  expect(named).toMatchObject({ code: 2, err: expect.stringMatching(/; or give --url\n$/) });
  const wrong = await certrelay(register, {
    env: { CERTRELAY_WEBHOOK_URL: 'https://x.example', CERTRELAY_WEBHOOK_SECRET: 'no secret' },
  });
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringContaining('CERTRELAY_WEBHOOK_SECRET must have'),
  });
  expect(wrong.err).not.toContain('no secret');
});
