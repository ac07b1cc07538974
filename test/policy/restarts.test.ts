// Which workloads of a target are restarted, and with which mark.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import { fingerprintAnnotation } from '../../lib/policy/delivery/restart-marks.ts';
import {
  describeOtherUsers,
  planRestarts,
  planRollbackRestarts,
} from '../../lib/policy/delivery/restarts.ts';
import type { Workload } from '../../lib/policy/kubernetes/objects.ts';
import type { SecretUser } from '../../lib/policy/kubernetes/secret-users.ts';
import { targetOf } from '../minting/targets.ts';
import { workloadFacts } from '../minting/workloads.ts';

describe('planRestarts', () => {
  const workload = (name: string, more: Partial<Workload> = {}) => workloadFacts({ name, ...more });
  const key = 'certrelay.dev/fingerprint-shop-tls';
  const cause = { fingerprint: 'aa', isResumed: false };
  const plan = (workloads: readonly Workload[], more: Partial<SecretTarget> = {}) =>
    planRestarts(targetOf(more), cause, workloads).map((one) => [one.action, one.workload.name]);

  test('the users of the Secret are restarted, unless their mark says that they have been', () => {
    const workloads = [
      workload('new'),
      workload('marked', { annotations: { [key]: 'aa' } }),
      workload('old', { annotations: { [key]: 'bb' } }),
      workload('other', { secrets: ['other-tls'] }),
      workload('other-mark', { annotations: { 'certrelay.dev/fingerprint-other': 'aa' } }),
    ];
    expect(plan(workloads)).toEqual([
      ['restart', 'new'],
      ['await', 'marked'],
      ['restart', 'old'],
      ['restart', 'other-mark'],
    ]);
    expect(plan(workloads, { restart: 'none' })).toEqual([]);
  });

  test('with restart: needed a workload is left alone whose use of the Secret refreshes by itself', () => {
    const workloads = [workload('volume'), workload('env', { fixed: ['shop-tls'] })];
    expect(plan(workloads, { restart: 'needed' })).toEqual([['restart', 'env']]);
  });

  test('a workload that refuses is left alone, found or listed', () => {
    const workloads = [workload('web', { refusesRestart: true })];
    const restart = [{ kind: 'Deployment', name: 'web' }] as const;
    expect(plan(workloads)).toEqual([['leave', 'web']]);
    expect(plan(workloads, { restart })).toEqual([['leave', 'web']]);
  });

  test('D13 taking back concerns what was marked with that certificate, and waits for what is back already', () => {
    const marked = (name: string, value: string) => workload(name, { annotations: { [key]: value } });
    const workloads = [
      marked('failed', 'bb'),
      marked('back', 'aa'),
      marked('older', 'cc'),
      workload('never'),
      { ...marked('refuses', 'bb'), refusesRestart: true },
    ];
    const returns = planRollbackRestarts(targetOf(), 'bb', cause, workloads);
    expect(returns.map((one) => [one.action, one.workload.name])).toEqual([
      ['restart', 'failed'],
      ['await', 'back'],
    ]);
    expect(returns[0]).toMatchObject({ mark: { key, value: 'aa' } });
  });

  test('P09 what cannot be rolled is named with what to do', () => {
    const other = (group: string, kind: string): SecretUser => {
      return { group, kind, name: 'old', secrets: ['shop-tls'], fixed: ['shop-tls'] };
    };
    const others = [
      other('', 'ReplicationController'),
      other('batch', 'Job'),
      other('apps.openshift.io', 'DeploymentConfig'),
      other('apps', 'Deployment'),
      other('kafka.strimzi.io', 'Kafka'),
      other('example.com', 'Deployment'),
    ];
    const stranger: SecretUser = { ...other('', 'Pod'), secrets: ['other'], fixed: [] };
    const own = 'Certrelay does not restart this kind; restart it with its own tool';
    expect(describeOtherUsers(targetOf(), [...others, stranger])).toEqual([
      'ReplicationController old uses it too: it cannot be rolled; convert it to a Deployment',
      'Job old uses it too: its pods may keep the old certificate until they end',
      'DeploymentConfig old uses it too: Certrelay does not restart it; run "oc rollout latest" for it, or convert it to a Deployment',
      'Deployment old uses it too: its pods do, its pod template does not, so it is not restarted; if something adds the Secret to its pods, list it in the "restart" of the target',
      `Kafka.kafka.strimzi.io old uses it too: ${own}`,
      `Deployment.example.com old uses it too: ${own}`,
    ]);
    const volumes = others.map((user) => ({ ...user, fixed: [] }));
    expect(describeOtherUsers(targetOf({ restart: 'needed' }), volumes)).toEqual([]);
    const many = Array.from({ length: 1_000 }, () => other('batch', 'Job'));
    expect(describeOtherUsers(targetOf(), many)).toHaveLength(21);
  });

  test('listed workloads are matched by kind and name', () => {
    const restart = [
      { kind: 'StatefulSet', name: 'web' },
      { kind: 'Deployment', name: 'web' },
    ] as const;
    expect(plan([workload('web', { secrets: [] })], { restart })).toEqual([
      ['missing', 'web'],
      ['restart', 'web'],
    ]);
  });

  test('the env strategy goes by the variable of the first container, not by annotations', () => {
    const env: Partial<SecretTarget> = { restartStrategy: 'env' };
    const annotations = { [key]: 'aa' };
    expect(plan([workload('a', { annotations }), workload('b', { refresh: 'aa' })], env)).toEqual([
      ['restart', 'a'],
      ['await', 'b'],
    ]);
    expect(planRestarts(targetOf(env), cause, [workload('a')])[0]).toMatchObject({
      mark: { kind: 'env', container: 'main', value: 'aa' },
    });
  });
});

describe('fingerprintAnnotation', () => {
  test('a name of 51 characters stands as it is, a longer one is cut and told apart', () => {
    expect(fingerprintAnnotation('a'.repeat(51))).toBe(`certrelay.dev/fingerprint-${'a'.repeat(51)}`);
    const [one, two] = [
      fingerprintAnnotation(`${'a'.repeat(51)}b`),
      fingerprintAnnotation(`${'a'.repeat(51)}c`),
    ];
    expect(one).not.toBe(two);
  });

  test('every Secret has an annotation that the API accepts', () => {
    const name = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/);
    fc.assert(
      fc.property(name, (secret) => {
        const [, part = ''] = fingerprintAnnotation(secret).split('/');
        expect(part).toMatch(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,61}[A-Za-z0-9]$/);
      }),
    );
  });
});
