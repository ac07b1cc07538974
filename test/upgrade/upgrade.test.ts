// The functions of today in an installation of the version before: nothing is ordered, restarted, delivered
// or retired because of the upgrade, and what was stored, queued, signed and written then is read on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBuilt } from '../built.ts';
import type { Call } from '../sandbox/journal.ts';
import { credentialsOf, prefix } from '../sandbox/sandbox.ts';
import { postAsGithub, postDomains } from '../sandbox/webhook-call.ts';
import { type Installation, startFormerInstallation } from './harness.ts';

/** What each certificate got from the last pass of the version before. */
const decisions = {
  failing: ['wait', 'BackingOff'],
  flight: ['wait', 'InFlight'],
  careful: ['keep', 'Current'],
  customer: ['keep', 'Current'],
  former: ['keep', 'Current'],
  front: ['keep', 'Current'],
  held: ['keep', 'Current'],
  java: ['keep', 'Current'],
  'lab-web-www-tls-e13d70a4': ['keep', 'Current'],
  legacy: ['keep', 'Current'],
  paused: ['keep', 'Current'],
  prod: ['keep', 'Current'],
  shop: ['keep', 'Current'],
};

let installation: Installation;
let folder: string;
let before: ReturnType<typeof picture>;
/** Answers of two rounds, and the calls that were made in each. */
let rounds: readonly {
  readonly answers: Awaited<ReturnType<typeof runAll>>;
  readonly calls: readonly Call[];
}[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certrelay-upgrade-'));
  installation = await startFormerInstallation();
  const { journal } = installation.sandbox;
  before = picture();
  rounds = [];
  for (let round = 0; round < 2; round += 1) {
    const begun = journal.calls.length;
    const answers = await runAll();
    rounds = [...rounds, { answers, calls: journal.calls.slice(begun) }];
  }
});
afterAll(async () => {
  await installation?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Everything that keeps something, without tags: those are where Certrelay takes notes. */
function picture() {
  const { secretsManager, kubernetes, eksClusters, acm, route53 } = installation.sandbox;
  const resources = ['secrets', 'deployments', 'ingresses', 'pods', 'statefulsets', 'daemonsets'];
  return {
    secrets: secretsManager.vault.secrets
      .filter(({ name }) => name !== `${prefix}/installation`)
      .map(({ name, versions, labels, deleted }) => ({
        name,
        versions: [...versions.values()],
        labels: Object.fromEntries(labels),
        deleted,
      })),
    clusters: [kubernetes, ...eksClusters].map((cluster) => resources.flatMap((one) => cluster.list(one))),
    acm: acm.certificates.entries.map(({ arn, leaf, importedAt }) => ({ arn, leaf, importedAt })),
    dns: route53.list('example.com'),
  };
}

async function runAll() {
  const { lambda, queues, httpApi, webhookSecret } = installation.sandbox;
  const call = async (name: string, event: object) => {
    const { answer, error } = await lambda.invoke(name, event);
    return error?.errorMessage ?? answer;
  };
  const registered = { name: 'customer', domains: ['a.customers.example.com'] };
  const answers = {
    issue: await call('issue', {}),
    issueMessages: await call('issue', installation.messages.issue),
    deployMessages: await call('deploy', installation.messages.deploy),
    deployByName: await call('deploy', { certificates: ['shop', 'java', 'former'] }),
    deployCluster: await call('deploy', { clusters: ['lab'] }),
    deploy: await call('deploy', {}),
    probe: await call('probe', {}),
    discover: await call('discover', {}),
    agent: await runAgent(),
    registered: (await postDomains(httpApi, registered, webhookSecret)).status,
    registeredByGithub: (await postAsGithub(httpApi, registered, webhookSecret)).status,
    status: await call('status', {}),
  };
  await queues.deploy.untilEmpty();
  return answers;
}

/** One pass of the agent of cluster `edge`, which is the lab in this sandbox. */
async function runAgent(): Promise<string> {
  const { sandbox } = installation;
  await writeFile(join(folder, 'kubeconfig'), sandbox.kubernetes.kubeconfig('certrelay'));
  const key = sandbox.secretsManager.vault.mustFind(`${prefix}/signing-key`).tags.get('certrelay:publicKey');
  const child = spawn(process.execPath, [join((await findBuilt('bundles')) ?? '', 'agent', 'index.js')], {
    env: {
      ...sandbox.environment,
      ...credentialsOf('agent-edge'),
      CERTRELAY_CLUSTER: 'edge',
      CERTRELAY_SIGNING_KEY: key,
      CERTRELAY_KUBECONFIG: join(folder, 'kubeconfig'),
    },
  });
  const streams = Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = await once(child, 'close');
  return status === 0 ? 'well' : (await streams).join('');
}

/** Calls that change something. SQS is left out: passes hand work on there, and that work is looked at
 *  here. */
function changes(calls: readonly Call[], service: Call['service']): readonly string[] {
  const reads = /^(get|list|watch|Get|List|Describe|BatchGet)/;
  return calls
    .filter((call) => call.service === service && !reads.test(call.action))
    .map(({ action, resource }) => `${action} ${resource.replace(/-\w{6}$/, '')}`);
}

describe.each([0, 1])('round %i of all functions', (round) => {
  it('decides of every certificate what the version before decided', () => {
    const { certificates } = Object(rounds[round]?.answers.issue);
    const decided = certificates.map((one: Record<string, unknown>) => [
      one.name,
      [one.decision, one.reason],
    ]);
    expect(Object.fromEntries(decided)).toEqual(decisions);
  });

  it('asks nothing of a CA, and writes no record', () => {
    const calls = rounds[round]?.calls ?? [];
    expect(calls.filter(({ service }) => service === 'acme')).toEqual([]);
    expect(changes(calls, 'route53')).toEqual([]);
  });

  it('writes nothing to a cluster or to ACM, and to the bus of its own only, once, what is not well', () => {
    const calls = rounds[round]?.calls ?? [];
    for (const service of ['kubernetes', 'acm'] as const) expect(changes(calls, service)).toEqual([]);
    const tellers = calls.filter(({ service }) => service === 'events').map(({ principal }) => principal);
    expect(new Set(tellers)).toEqual(new Set(round === 0 ? ['status'] : []));
  });

  it('writes no version of any AWS secret, moves no label and deletes none', () => {
    const written = changes(rounds[round]?.calls ?? [], 'secretsmanager');
    const others = written.filter((one) => !one.startsWith('TagResource '));
    expect(others.filter((one) => !one.endsWith(`:secret:${prefix}/installation`))).toEqual([]);
  });

  it('takes every message that was queued', () => {
    const none = { batchItemFailures: [] };
    expect(rounds[round]?.answers).toMatchObject({ issueMessages: none, deployMessages: none });
  });

  it.each([
    'deploy',
    'deployByName',
    'deployCluster',
  ] as const)('finds every target as it should be, and holds what was held, by %s', (how) => {
    const { certificates, pruned } = Object(rounds[round]?.answers[how]);
    const targets = certificates.flatMap(
      (one: { readonly targets?: readonly object[] }) => one.targets ?? [],
    );
    const outcomes = new Set(targets.map((one: { readonly outcome?: string }) => one.outcome));
    expect(outcomes).toEqual(new Set(how === 'deployByName' ? ['unchanged'] : ['held', 'unchanged']));
    expect(pruned.filter((one: Record<string, unknown>) => one.outcome === 'deleted')).toEqual([]);
  });

  it('the agent takes what was signed for it, and status sees it so', () => {
    const { agent, status } = rounds[round]?.answers ?? {};
    expect(agent).toBe('well');
    expect(status).toMatchObject({
      // One that its section does not allow any more is in its time of grace.
      summary: { Degraded: 2, Suspended: 2, Progressing: 2, Healthy: 8 },
      agents: [{ name: 'edge', health: 'Healthy' }],
    });
  });

  it('what is served, discovered and registered is known', () => {
    const { probe, discover, registered, registeredByGithub } = rounds[round]?.answers ?? {};
    expect(Object(probe).certificates).toContainEqual(
      expect.objectContaining({ name: 'shop', served: 'served' }),
    );
    expect(discover).toMatchObject({ certificates: [{ outcome: 'known' }], noLongerAsked: [] });
    expect([registered, registeredByGithub]).toEqual([200, 200]);
  });
});

it('values, labels, Secrets, workloads, ACM and DNS are as they were, to the byte', () => {
  expect(picture()).toEqual(before);
});

it('a second round answers as the first did', () => {
  // Times of notes, and ids, are another matter.
  const told = rounds.map(({ answers }) =>
    JSON.stringify(answers, (key, value) =>
      /^(lastSeen|requestId|id|omitted|at|lastPass)$/.test(key) ? undefined : value,
    ),
  );
  expect(told[1]).toBe(told[0]);
});
