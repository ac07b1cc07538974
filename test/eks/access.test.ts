// Clusters of EKS: the token by which an IAM role signs in, and where the API server is.
import { STSClient } from '@aws-sdk/client-sts';
import { expect, onTestFinished, test } from 'vitest';
import { type EksDescription, openEks } from '../../lib/adapters/eks/clusters.ts';
import { makeToken } from '../../lib/adapters/eks/token.ts';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { PromiseCache } from '../../lib/async/promise-cache.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { type EksCluster, startEks } from '../sandbox/eks/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes } from '../sandbox/kubernetes/server.ts';
import { accessKeyOf, ownSecretKey } from '../sandbox/principal.ts';
import { startSts } from '../sandbox/sts/server.ts';
import { Sessions } from '../sandbox/sts/sessions.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';

const signal = AbortSignal.timeout(120_000);
const region = 'eu-west-1';
const deploy = 'arn:aws:iam::123456789012:role/deploy';
const other = { account: '210987654321', roleArn: 'arn:aws:iam::210987654321:role/clusters' };
const minute = 60_000;

/** EKS with the cluster `prod` of ours and `far` of another account, each with an API server that knows one
 *  role. */
async function start() {
  const [clock, journal, faults, log] = [
    new FakeClock('2026-11-22T10:00:00Z'),
    new Journal(),
    new Faults(),
    new FakeLog(),
  ];
  const now = () => clock.now().getTime();
  const sessions = new Sessions([{ arn: other.roleArn, trust: { principals: [deploy] } }], now);
  const sts = await startSts(sessions, { journal, faults });
  const eks = await startEks(sessions, { journal, faults }, now);
  const prod = eks.createCluster({ name: 'prod', region, accessEntries: { [deploy]: 'admin' } });
  const far = eks.createCluster({
    name: 'far',
    region,
    account: other.account,
    accessEntries: { [other.roleArn]: 'admin' },
  });
  const startServer = async ({ authenticate }: EksCluster) => {
    const kubernetes = await startKubernetes({ authenticate }, { journal, faults });
    onTestFinished(() => kubernetes.stop());
    return kubernetes;
  };
  const serve = async (cluster: EksCluster) => {
    const kubernetes = await startServer(cluster);
    cluster.publish(kubernetes);
    return kubernetes;
  };
  onTestFinished(async () => void (await Promise.all([sts.stop(), eks.stop()])));
  const memory = new PromiseCache<EksDescription>();
  const open = (
    spec: { readonly name?: string; readonly region?: string; readonly roleArn?: string } = {},
    key = 'deploy',
  ) => {
    const credentials = { accessKeyId: accessKeyOf(key), secretAccessKey: ownSecretKey };
    const config = { endpoint: eks.url, credentials, maxAttempts: 1 };
    return openEks({
      name: 'prod',
      spec: { name: 'prod', region, ...spec },
      memory,
      sessionName: 'certrelay-run',
      clock,
      config,
      stsConfig: { endpoint: sts.url, region, credentials },
    });
  };
  const connect = async (...asked: Parameters<typeof open>) => {
    const ask = open(...asked);
    const refresh = (during: AbortSignal) => ask(during, 'again');
    const cluster = connectCluster({ name: 'prod', access: await ask(signal), refresh, clock, log });
    onTestFinished(() => cluster.close());
    return { look: () => cluster.readSecret('default', 'web', signal) };
  };
  return { clock, journal, faults, eks, prod, far, startServer, serve, open, connect };
}

async function tokenOf(open: ReturnType<typeof openEks>): Promise<string> {
  const { token } = await open(signal);
  return typeof token === 'function' ? token(signal) : '';
}

test('P22 a role signs in with a token that it signs itself, and EKS says where and with which authority', async () => {
  const { serve, prod, connect, journal } = await start();
  await serve(prod);
  expect(await (await connect()).look()).toBeUndefined();
  expect(await (await connect()).look()).toBeUndefined();
  expect(journal.calls).toMatchObject([
    {
      action: 'DescribeCluster',
      resource: `arn:aws:eks:${region}:123456789012:cluster/prod`,
      principal: 'deploy',
    },
    { action: 'get secrets', principal: 'admin', status: 404 },
    { action: 'get secrets', principal: 'admin' },
  ]);
});

test('a token is used for 14 minutes and then made anew, while the connection stays', async () => {
  const { serve, prod, connect, open, clock } = await start();
  const kubernetes = await serve(prod);
  const { look } = await connect();
  const opened = open();
  const tokens: string[] = [];
  for (const minutes of [0, 13, 1, 13, 45]) {
    clock.pass(minutes * minute);
    tokens.push(await tokenOf(opened));
    expect(await look()).toBeUndefined();
  }
  expect(tokens.map((token) => tokens.indexOf(token))).toEqual([0, 0, 2, 2, 4]);
  expect(kubernetes.connections()).toBe(1);
});

test('with roleArn the role is assumed, under the name of the run, and again before its session ends', async () => {
  const { serve, far, connect, clock, journal } = await start();
  await serve(far);
  const { look } = await connect({ name: 'far', roleArn: other.roleArn });
  for (const minutes of [0, 10, 40, 9, 50]) {
    clock.pass(minutes * minute);
    expect(await look()).toBeUndefined();
  }
  expect(journal.find({ service: 'sts' })).toMatchObject(
    Array(2).fill({ principal: 'deploy', detail: { sessionName: 'certrelay-run' } }),
  );
  expect(journal.find({ service: 'eks' })).toMatchObject([{ principal: 'clusters' }]);
});

test('a server that EKS described otherwise is looked up again, once for all calls, and they go on', async () => {
  const { prod, startServer, connect, journal } = await start();
  const [before, after] = await Promise.all([startServer(prod), startServer(prod)]);
  prod.publish({ server: after.server, caPem: before.caPem });
  const first = await connect();
  prod.publish(after);
  expect(await Promise.all([first.look(), first.look()])).toEqual([undefined, undefined]);
  await (await connect()).look();
  expect(journal.count({ service: 'eks' })).toBe(2);
});

test.each([
  ['http://api.example', undefined, 'an endpoint that is no https URL'],
  [`https://api.example/${'/'.repeat(3_000)}`, undefined, 'an endpoint that is no https URL'],
  [undefined, 'no PEM', 'an authority that is no PEM certificate'],
])('a description that no token may follow (%#) is refused', async (server, caPem, problem) => {
  const { prod, startServer, open } = await start();
  const kubernetes = await startServer(prod);
  prod.publish({ server: server ?? kubernetes.server, caPem: caPem ?? kubernetes.caPem });
  await expect(open()(signal)).rejects.toMatchObject({
    code: 'Malformed',
    message: `EKS gives the cluster prod ${problem}`,
  });
});

test('a look-up that failed is made again by the next call', async () => {
  const { prod, startServer, connect, faults } = await start();
  const [before, after] = await Promise.all([startServer(prod), startServer(prod)]);
  prod.publish({ server: after.server, caPem: before.caPem });
  const cluster = await connect();
  prod.publish(after);
  faults.set('eks', 'DescribeCluster', { kind: 'error', code: 'ServerException', status: 500 });
  await expect(cluster.look()).rejects.toMatchObject({ code: 'Unavailable' });
  expect(await cluster.look()).toBeUndefined();
});

test('a token is good for the cluster that it names, signed by who it says, and for 15 minutes', async () => {
  const { prod, far, clock } = await start();
  const now = clock.now().getTime();
  const make = (change: { cluster?: string; secretAccessKey?: string; at?: number }) =>
    makeToken({
      cluster: change.cluster ?? 'prod',
      region,
      stsHost: `sts.${region}.amazonaws.com`,
      clock: new FakeClock(new Date(now + (change.at ?? 0)).toISOString()),
      identify: async () => ({
        accessKeyId: accessKeyOf('deploy'),
        secretAccessKey: change.secretAccessKey ?? ownSecretKey,
      }),
    })(signal);
  expect(prod.authenticate(await make({}))).toBe('admin');
  expect(far.authenticate(await make({}))).toBeUndefined();
  expect(prod.authenticate(await make({ cluster: 'far' }))).toBeUndefined();
  expect(prod.authenticate(await make({ secretAccessKey: 'guessed' }))).toBeUndefined();
  expect(prod.authenticate(await make({ at: -15 * minute + 1000 }))).toBe('admin');
  expect(prod.authenticate(await make({ at: -15 * minute }))).toBeUndefined();
});

/** A region of each partition that the SDK knows, and one of a newer region than it knows. */
const regions = [
  ['eu-west-1', 'amazonaws.com'],
  ['ap-newplace-1', 'amazonaws.com'],
  ['us-gov-west-1', 'amazonaws.com'],
  ['cn-north-1', 'amazonaws.com.cn'],
  ['eusc-de-east-1', 'amazonaws.eu'],
  ['us-iso-west-1', 'c2s.ic.gov'],
  ['us-isob-east-1', 'sc2s.sgov.gov'],
  ['eu-isoe-west-1', 'cloud.adc-e.uk'],
  ['us-isof-south-1', 'csp.hci.ic.gov'],
] as const;

test.for(regions)('in %s the token is for STS below %s, where the SDK has it, too', async ([
  where,
  suffix,
]) => {
  const { eks, open } = await start();
  const there = eks.createCluster({ name: 'there', region: where, accessEntries: { [deploy]: 'admin' } });
  there.publish({ server: 'https://127.0.0.1:1', caPem: (await mintServingCertificate('there')).ca });
  const token = await tokenOf(open({ name: 'there', region: where }));
  expect(there.authenticate(token)).toBe('admin');
  const { host } = new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString());
  expect(host).toBe(`sts.${where}.${suffix}`);
  const rules = new STSClient({ region: where }).config.endpointProvider;
  const choice = { Region: where, UseDualStack: false, UseFIPS: false, UseGlobalEndpoint: false };
  expect(rules(choice).url.host).toBe(host);
});

test.for([
  [
    'a role without an access entry',
    'issue',
    {},
    /\(401\): cluster prod does not know the function's IAM role: give it an access entry in the EKS cluster prod/,
  ],
  [
    'a cluster that is not there',
    'deploy',
    { name: 'typo' },
    /EKS cluster typo in eu-west-1 does not exist: correct clusters\.prod\.eks/,
  ],
  [
    'a role that may not be assumed',
    'issue',
    { name: 'far', roleArn: other.roleArn },
    /assume the role arn:aws:iam::210987654321:role\/clusters of clusters\.prod\.eks: its trust policy/,
  ],
] as const)('%s is SignInFailed, with what would mend it', async ([, key, spec, message]) => {
  const { prod, serve, connect } = await start();
  await serve(prod);
  const looked = connect(spec, key).then(({ look }) => look());
  await expect(looked).rejects.toMatchObject({
    code: 'SignInFailed',
    message: expect.stringMatching(message),
  });
});

test('a cluster that is being made, and EKS out of order, are Unavailable and asked again the next time', async () => {
  const { prod, serve, connect, faults } = await start();
  await expect(connect()).rejects.toMatchObject({
    code: 'Unavailable',
    message: 'the EKS cluster prod is CREATING: it has no endpoint yet',
  });
  await serve(prod);
  faults.set('eks', 'DescribeCluster', { kind: 'error', code: 'ServerException', status: 500 });
  await expect(connect()).rejects.toMatchObject({ code: 'Unavailable' });
  expect(await (await connect()).look()).toBeUndefined();
});
