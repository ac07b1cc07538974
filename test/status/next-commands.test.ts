// The command that each reason ends with: what mends it, or what shows the cause to a person who has to mend
// it elsewhere.
import { expect, test } from 'vitest';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import type { HealthReason } from '../../lib/policy/health/reasons.ts';
import { describeLetGo } from '../../lib/policy/retirement/retirement.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, hourMs, now, StatusLab } from './harness.ts';

type Prepare = (lab: StatusLab) => void;

/** Since when, of a trouble that lasts. */
const long = 2 * dayMs;
const expired = { notAfter: at(-dayMs) };
const late = { notBefore: at(-85 * dayMs), notAfter: at(5 * dayMs) };
const problem = (code: string, words = 'it refused', sinceMs = long) => ({
  problem: { since: at(-sinceMs), code, words },
});
const failing = (code: string, sinceMs = long): CertificateState => ({
  failures: 2,
  error: code,
  nextAttempt: at(hourMs),
  ...problem(code, 'it refused', sinceMs),
});
const lab = targetOf({ cluster: 'lab' });
const edge = targetOf({ cluster: 'edge' });
const rollout = {
  waves: 1,
  deadlineMs: 600_000,
  probe: false,
  windows: [{ days: ['Mon'], fromMinute: 120, toMinute: 240, timeZone: 'UTC' }],
} as const;
const open = { deployed: describeProgress('v1', [lab], ['none']) };
const restarting = { deployed: describeProgress('v1', [lab], ['applied']) };
const noteOf = (reason: string, sinceMs: number) =>
  ({ health: 'Progressing', reason, since: at(-sinceMs), told: [] }) as const;
const podsOfShop = 'kubectl --context lab -n shop get deployments,statefulsets,daemonsets,pods';
const registration = { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets: [] } as const;
/** A certificate that the webhook registered, and that was never issued. */
const registered =
  (state: CertificateState): Prepare =>
  (one) => {
    one.sections = { registration };
    one.unissued('shop', { source: 'registration', domains: ['shop.example.com'], ...state });
  };
const clusterTrouble = (code: string, words: string): Prepare => {
  return (one) => {
    one.operations = { ...one.operations, clusters: { lab: { since: at(-long), code, words } } };
  };
};
const keep =
  (state: CertificateState, targets = [] as (typeof lab)[]): Prepare =>
  (one) =>
    one.keep('shop', state, { targets });
const failingAt = (code: string, words: string): Prepare => {
  const deliveryProblem = { since: at(-long), code, words, cause: 'target/lab/shop/shop-tls' };
  return keep({ ...open, deliveryProblem }, [lab]);
};
const both =
  (...all: readonly Prepare[]): Prepare =>
  (one) => {
    for (const prepare of all) prepare(one);
  };
const holding = (end: Date): CertificateState => ({
  deployed: { ...describeProgress('v1', [lab], ['none']), holds: [{ version: 'v0', notAfter: end }] },
});
const agents =
  (record: Partial<StatusLab['agents'][number]> | undefined): Prepare =>
  (one) => {
    one.agents = record ? [{ cluster: 'edge', ...record }] : [];
  };
const retired = { retire: { kind: 'retire', at: at(-dayMs), revoke: false } } as const;
const long9 = { retire: { kind: 'retire', at: at(-9 * dayMs), revoke: false } } as const;
const rbac =
  'npx certrelay rbac lab --service-account certrelay/certrelay | kubectl --context lab apply -f -';
const agentPods = /^kubectl --context edge -n certrelay get deployments,cronjobs,pods -l \S+certrelay-agent$/;

/** What is so, in words, how it is made so, and the command. `certrelay` commands without `npx certrelay`. */
type Story = readonly [words: string, prepare: Prepare, command: string | RegExp];

const stories: Readonly<Record<Exclude<HealthReason, 'Current'>, readonly Story[]>> = {
  Expired: [
    ['nothing is in the way of an order', keep(expired), 'renew shop'],
    ['a person has paused it', keep({ ...expired, pausedSince: at(-long) }), 'unpause shop'],
    ['its orders fail', keep({ ...expired, ...failing('unauthorized') }), 'renew shop --force'],
    ['a target holds an old one, and is open', keep(holding(at(-1)), [lab]), 'deploy shop'],
  ],
  Revoked: [
    ['its replacement is not ordered yet', keep({ revoked: ['v1'] }), 'renew shop'],
    ['DNS refuses that', keep({ revoked: ['v1'], ...problem('PreflightFailed') }), 'renew shop'],
  ],
  ExpiresSoon: [
    ['nothing is in the way of an order', keep(late), 'renew shop'],
    [
      'beside it a cluster fails',
      both(keep({ ...late, ...open }, [lab]), clusterTrouble('Unreachable', 'gone')),
      'renew shop',
    ],
    [
      'the CA has paused it',
      keep({ ...late, pausedSince: at(-long), pauseReason: 'the CA has paused it' }),
      'unpause shop',
    ],
    [
      'a target holds an old one, and its cluster fails',
      both(keep(holding(at(dayMs)), [lab]), clusterTrouble('Unreachable', 'gone')),
      'deploy --cluster lab',
    ],
  ],
  RevocationFailing: [
    [
      'the CA refuses',
      (one) =>
        one.stored('shop', {
          retire: { kind: 'retire', at: at(-dayMs), revoke: true },
          ...problem('RevocationFailed'),
        }),
      'renew shop',
    ],
  ],
  RetirementStuck: [
    ['for nine days', (one) => one.stored('shop', long9), /^npx serverless logs --function issue/],
  ],
  Abandoned: [
    [
      'its entry was lost from the inventory',
      (one) => one.stored('shop', { deployed: describeProgress('v1', [lab], ['rolled-out']) }),
      /^npx serverless deploy/,
    ],
    [
      'no object asks any more',
      (one) =>
        one.stored('shop', {
          source: 'discovery',
          gone: { kind: 'counting', since: at(-long), days: 0, countedAt: now, row: 3 },
        }),
      'discover --dry-run',
    ],
  ],
  NotAllowed: [
    [
      'the inventory lacks a line',
      (one) => one.stored('shop', { source: 'registration', domains: ['shop.example.com'] }),
      /^npx serverless deploy/,
    ],
  ],
  TagsDisagree: [
    [
      'somebody wrote them',
      keep({ tagsDisagree: at(-hourMs) }),
      /^aws cloudtrail lookup-events .*TagResource.* grep -F \/shop$/,
    ],
  ],
  TakenBack: [
    [
      'it failed at a target',
      keep({ freeze: { version: 'v1', target: 'lab/a/b', reason: 'crashed' } }),
      'resume shop',
    ],
  ],
  PausedByCA: [
    [
      'and nobody has visited its page',
      keep({ pausedSince: at(-long), pauseReason: 'the CA has paused it' }),
      'unpause shop',
    ],
    [
      'and it was resumed here',
      keep({ ...failing('rateLimited'), ...problem('PausedByCA') }),
      'renew shop --force',
    ],
  ],
  PreflightFailed: [['a record is in the way', keep(problem('PreflightFailed')), 'renew shop']],
  NameTaken: [['another has its name', keep(problem('NameTaken')), 'renew shop']],
  OrderFailing: [
    ['and backs off', keep(failing('unauthorized')), 'renew shop --force'],
    ['and is due again', keep({ ...failing('unauthorized'), nextAttempt: at(-1) }), 'renew shop'],
  ],
  DeliveryFailing: [
    ['for a reason of the target', failingAt('Rejected', 'no'), 'deploy shop'],
    ['for a right that is missing there', failingAt('Forbidden', `may not; run: ${rbac}`), rbac],
    ['for a webhook, whose words end with a command', failingAt('Rejected', `run: ${rbac}`), 'deploy shop'],
    ['for a right, with words of others', failingAt('Forbidden', `run: ${rbac}; id`), 'deploy shop'],
    [
      'for pods that do not start',
      failingAt('RolloutFailed', 'Deployment web does not roll out'),
      podsOfShop,
    ],
    [
      'for pods that are not ready for hours',
      keep({ ...restarting, health: noteOf('Delivering', 6 * hourMs + 1) }, [lab]),
      podsOfShop,
    ],
    [
      'of a target that waits for a day',
      keep({ ...open, health: noteOf('Delivering', dayMs + 1) }, [lab]),
      'deploy shop',
    ],
    [
      'of a target that its agent does not know',
      keep({ health: noteOf('Delivering', dayMs + 1) }, [edge]),
      'inventory --for-agent edge',
    ],
    [
      'because of its cluster',
      both(keep(open, [lab]), clusterTrouble('Unreachable', 'gone')),
      'deploy --cluster lab',
    ],
    [
      'by its agent',
      keep(
        {
          reports: {
            edge: {
              deployed: {
                ...describeProgress('v1', [edge], ['none']),
                retry: { failures: 3, after: at(hourMs) },
              },
            },
          },
        },
        [edge],
      ),
      agentPods,
    ],
  ],
  NotLookedAt: [
    [
      'because of its cluster',
      both(
        keep({ deployed: describeProgress('v1', [lab], ['rolled-out']) }, [lab]),
        clusterTrouble('Unreachable', 'gone'),
      ),
      'deploy --cluster lab',
    ],
  ],
  Mismatch: [
    [
      '',
      keep({ notServedSince: at(-long), probedAt: now, served: { version: 'v1', word: 'mismatch' } }),
      'probe shop',
    ],
  ],
  NotServed: [
    [
      '',
      keep({ notServedSince: at(-long), probedAt: now, served: { version: 'v1', word: 'stale' } }),
      'probe shop',
    ],
  ],
  Acknowledged: [
    [
      'its trouble has its command all the same',
      keep({
        ...problem('PreflightFailed'),
        acknowledged: { until: at(dayMs), reason: 'PreflightFailed', words: 'asked for' },
      }),
      'renew shop',
    ],
  ],
  Paused: [['by a person', keep({ pausedSince: at(-long) }), 'unpause shop']],
  Frozen: [
    ['by a person', keep({ freeze: { version: 'v1', target: '*', reason: 'rolled back' } }), 'resume shop'],
  ],
  NeverReady: [
    ['for more than a week', registered({ ...problem('PreflightFailed', 'no', 9 * dayMs) }), 'renew shop'],
  ],
  Unused: [['nobody asks for it', (one) => one.stored('shop'), 'retire shop --dry-run']],
  RetirementAhead: [['', keep(retired), 'restore shop']],
  Retiring: [
    ['deploy has a part', (one) => one.stored('shop', retired), 'deploy'],
    [
      'an agent has one',
      (one) =>
        one.stored('shop', { ...retired, deployed: describeLetGo('v1'), signatures: { edge: 'signed' } }),
      agentPods,
    ],
    [
      'every part is done',
      (one) => one.stored('shop', { ...retired, deployed: describeLetGo('v1') }),
      'renew shop',
    ],
  ],
  BackingOff: [['for an hour', keep(failing('unauthorized', hourMs)), 'plan shop']],
  RateLimited: [
    ['for an hour', keep(failing('rateLimited', hourMs)), 'plan shop'],
    ['by foresight', keep(problem('RateLimited')), 'plan shop'],
  ],
  WaitingForDns: [
    ['its sender is at it', registered({ ...problem('PreflightFailed') }), 'renew shop'],
    ['its order failed', registered({ ...failing('unauthorized') }), 'plan shop'],
  ],
  RenewalDue: [['', keep({ notBefore: at(-61 * dayMs), notAfter: at(29 * dayMs) }), 'renew shop']],
  Unread: [['', keep({ version: 'v0' }), 'renew shop']],
  Ordering: [
    [
      '',
      (one) =>
        one.specs.push({
          name: 'shop',
          domains: ['a.example.com'],
          issuer: 'default',
          key: 'ecdsa-p256',
          targets: [],
        }),
      'renew shop',
    ],
  ],
  Delivering: [
    ['by deploy', keep(open, [lab]), 'deploy shop'],
    ['to pods that start', keep(restarting, [lab]), podsOfShop],
    ['by an agent', keep({}, [edge]), agentPods],
  ],
  WaitingForWindow: [['that is closed', keep(open, [targetOf({ rollout })]), 'plan shop']],
  BecomingServed: [['', keep({ notServedSince: at(-1), probedAt: now }), 'probe shop']],
  ClusterFailing: [
    ['it gives no answer', clusterTrouble('Unreachable', 'no answer'), 'deploy --cluster lab'],
    [
      'its own words end with a command',
      clusterTrouble('Unavailable', `the server answered 503: busy; run: ${rbac}`),
      'deploy --cluster lab',
    ],
  ],
  IssuerFailing: [
    [
      'one of its certificates says',
      keep({
        ...failing('unauthorized'),
        problem: { since: at(-long), code: 'unauthorized', words: 'no', cause: 'issuer/default' },
      }),
      'renew shop --force',
    ],
  ],
  NotRunning: [
    [
      'deploy',
      (one) =>
        (one.operations = { ...one.operations, passes: { ...one.operations.passes, deploy: at(-long) } }),
      'deploy',
    ],
    ['notify', (one) => (one.waiting = 1), 'notify --test'],
  ],
  FunctionFailing: [
    [
      'deploy',
      keep(
        {
          ...open,
          deliveryProblem: { since: at(-long), code: 'Denied', words: 'no', cause: 'function/deploy' },
        },
        [lab],
      ),
      'deploy shop',
    ],
  ],
  AgentSilent: [['', agents({ lastSeen: at(-long) }), agentPods]],
  AgentFailing: [
    ['', agents({ lastSeen: now, problem: 'it broke' }), /^kubectl --context edge -n certrelay logs -l/],
  ],
  AgentNeverSeen: [['', agents(undefined), agentPods]],
  AgentDeregistered: [['', agents({ lastSeen: now, deregistered: at(-long) }), /^npx serverless deploy/]],
  ChannelFailing: [
    [
      '',
      (one) =>
        (one.installation = {
          firstRun: now,
          isUpgraded: true,
          lastPass: now,
          failingChannels: [{ channel: 'slack', since: at(-long), words: 'gone' }],
        }),
      'notify --test',
    ],
  ],
};

const rows = Object.entries(stories).flatMap(([reason, all]) =>
  all.map((story) => [reason, ...story] as const),
);

test.each(rows)('%s (%s) is mended by its command', async (reason, _, prepare, command) => {
  const one = new StatusLab();
  prepare(one);
  const { report } = await one.ask();
  const { certificates, clusters, issuers, agents: all, functions, channels } = report;
  const found = [...certificates, ...clusters, ...issuers, ...all, ...functions, ...channels].find(
    (subject) => subject.reason === reason,
  );
  const isWords = typeof command === 'string' && !/^(npx|kubectl) /.test(command);
  if (command instanceof RegExp) expect(found?.command).toMatch(command);
  else expect(found?.command).toBe(isWords ? `npx certrelay ${command}` : command);
});
