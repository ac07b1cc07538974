// Twelve stories over the alarms of the packaged template: when each rings, when it ends, and that nothing
// else rings and nothing flaps. `status` judges an installation over virtual time; errors of functions, dead
// letters and the webhook's answers are given.
import { beforeAll, describe, expect, it } from 'vitest';
import { fillAlarms } from '../../infra/template/alarms.ts';
import { keepFailures, once } from '../../lib/async/promise-cache.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, type StatusLab } from '../status/harness.ts';
import {
  type Evaluation,
  evaluateAlarm,
  readAlarm,
  type Sample,
  type Samples,
  type Transition,
} from './alarm-evaluator.ts';
import { type Judged, type JudgedSeries, judgeOver, type Play } from './judged-series.ts';
import { readPackagedService, type Template } from './packaged.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** One story: 0 is when trouble begins, on an installation that has run for days. `status` judges it at each
 *  of its runs. */
interface Story extends Play {
  /** What `status` measures, where only the window of the alarm matters. */
  readonly judged?: Judged;
  /** When a function ends with errors. */
  readonly errors?: Readonly<Record<string, readonly number[]>>;
  /** How many messages wait in which dead-letter queue. */
  readonly dead?: (queue: string, at: number) => number | undefined;
  /** Answers of the webhook: how many in a minute, by status. */
  readonly answers?: (status: '4xx' | '5xx', at: number) => number;
  readonly statusEvery?: number;
}

const untilDay = 8 * day;
const startsAt = -4 * day;

function samplesOf({ errors = {}, dead, answers, statusEvery }: Story, judged: Judged): Samples {
  const statusRuns = everySeconds(statusEvery ?? 15 * minute, 7);
  return (namespace, name, dimension) => {
    switch (`${namespace} ${name}`) {
      case 'Certrelay DegradedCertificates':
        return statusRuns.flatMap((at) => measured(judged(at)?.certificates ?? 0, judged(at), at));
      case 'Certrelay DegradedOthers':
        return statusRuns.flatMap((at) => measured(judged(at)?.others ?? 0, judged(at), at));
      case 'AWS/Lambda Errors': {
        const [own = ''] = Object.keys(errors).filter((one) =>
          dimension.toLowerCase().includes(`"${one}lambda`),
        );
        return (errors[own] ?? []).map((at) => ({ at, value: 1 }));
      }
      case 'AWS/SQS ApproximateNumberOfMessagesVisible':
        return everySeconds(minute, 0).flatMap((at) => sample(at, dead?.(dimension, at)));
      case 'AWS/ApiGateway 4xx':
      case 'AWS/ApiGateway 5xx': {
        const status = name === '4xx' ? '4xx' : '5xx';
        return everySeconds(minute, 0).flatMap((at) => sample(at, answers?.(status, at) || undefined));
      }
      default:
        throw new Error(`an alarm on a metric that nobody writes: ${namespace} ${name}`);
    }
  };
}

const measured = (value: number, judged: object | undefined, at: number) => (judged ? [{ at, value }] : []);
const sample = (at: number, value: number | undefined): readonly Sample[] =>
  value === undefined ? [] : [{ at, value }];
const everySeconds = (every: number, phase: number) =>
  Array.from(
    { length: Math.ceil((untilDay - startsAt) / every) },
    (_, i) => startsAt + phase * minute + i * every,
  );

/** CloudWatch as its documents leave it open. */
const evaluations: readonly Evaluation[] = [
  { older: 1, periods: 'sliding' },
  { older: 2, periods: 'sliding' },
  { older: 5, periods: 'sliding' },
  { older: 2, periods: 'aligned' },
];

let template: Template;
beforeAll(async () => {
  ({ template } = await readPackagedService());
}, 120_000);

const alarmsOf = ({ Resources }: Template) =>
  Object.entries(Resources).flatMap(([id, { Type, Properties }]) =>
    Type === 'AWS::CloudWatch::Alarm' ? [[id, readAlarm(Properties)] as const] : [],
  );

/** What each alarm did since shortly before the trouble, without those that were and stayed quiet. */
function listen(samples: Samples, evaluation: Evaluation, from: Template = template) {
  const span = { from: startsAt, until: untilDay };
  return Object.fromEntries(
    alarmsOf(from).flatMap(([id, alarm]) => {
      const states = evaluateAlarm(alarm, samples, span, evaluation);
      const before = states.findLast(({ at }) => at <= -hour);
      const heard = states.filter(({ at }) => at > -hour);
      expect(before?.state, id).not.toBe('ALARM');
      return heard.some(({ state }) => state === 'ALARM') ? [[id, heard] as const] : [];
    }),
  );
}

/** When an alarm rings and ends, each within bounds. Without `ends` it goes on ringing. `for`: the reasons of
 *  `status`, where it rings for what that found. */
interface Ringing {
  readonly rings: readonly [number, number];
  readonly ends?: readonly [number, number];
  readonly for?: readonly string[];
}

/** Asserts that the alarms ring once each, within the bounds, whatever CloudWatch does where its documents
 *  say nothing, and that no other rings. */
async function expectRings(
  story: Story,
  rings: Readonly<Record<string, Ringing>>,
  from?: Template,
): Promise<void> {
  const { judged, reasons } = await judge(story);
  expect([...reasons], 'what status found').toEqual(Object.values(rings).flatMap((one) => one.for ?? []));
  for (const evaluation of evaluations) {
    const heard = listen(samplesOf(story, judged), evaluation, from);
    const said = JSON.stringify({ evaluation, heard: inHours(heard) });
    expect(Object.keys(heard).toSorted(), said).toEqual(Object.keys(rings).toSorted());
    for (const [id, { rings: begin, ends }] of Object.entries(rings)) {
      const [rung, ended, ...more] = heard[id] ?? [];
      expect([rung?.state, ended?.state, more], said).toEqual(['ALARM', ends && 'OK', []]);
      expectWithin(rung?.at, begin, `${id} rings ${said}`);
      if (ends) expectWithin(ended?.at, ends, `${id} ends ${said}`);
    }
  }
}

/** What is judged of an installation in which all goes well. */
const well = once(() => judgeOver({}, everySeconds(15 * minute, 7)), keepFailures);

async function judge(story: Story): Promise<JudgedSeries> {
  if (story.judged) return { judged: story.judged, reasons: new Set() };
  if (!story.prepare && !story.acts && !story.silent) return well();
  return judgeOver(story, everySeconds(15 * minute, 7));
}

function expectWithin(at: number | undefined, [least, most]: readonly [number, number], said: string): void {
  expect(at, said).toBeGreaterThanOrEqual(least);
  expect(at, said).toBeLessThanOrEqual(most);
}

const inHours = (heard: Readonly<Record<string, readonly Transition[]>>) =>
  Object.entries(heard).map(([id, list]) => [id, ...list.map(({ at, state }) => `${at / hour} h ${state}`)]);

/** A level that lasts from one second to another. */
const level =
  (from: number, to: number): Judged =>
  (second) => ({ certificates: second >= from && second < to ? 1 : 0 });

/** Rings with the first status that sees it; ends when no status has seen it for twice its interval. */
const soonAfter = (at: number) => [at, at + 46 * minute] as const;
const soonEnded = (at: number) => [at + 14 * minute, at + 91 * minute] as const;

describe('a certificate', () => {
  const target = targetOf();
  const delivered = describeProgress('v1', [target], ['rolled-out']);
  /** A certificate of 90 days that begins so many days before second 0. */
  const begun = (days: number) => ({ notBefore: at(-days * dayMs), notAfter: at((90 - days) * dayMs) });
  const keep = (state: CertificateState) => (lab: StatusLab) =>
    lab.keep('shop', state, { targets: [target] });
  /** A new version, delivered. */
  const renew = (lab: StatusLab) => {
    const notBefore = lab.clock.now();
    const notAfter = new Date(notBefore.getTime() + 90 * dayMs);
    lab.stored('shop', { notBefore, notAfter, deployed: delivered });
  };
  const problem = { since: at(0), code: 'unauthorized', words: 'the CA refused it' };

  it('1: an orphan that a target holds rings, past its end, until it is retired', async () => {
    const short = { notBefore: at(-4.1 * dayMs), notAfter: at(1.5 * dayMs), deployed: delivered };
    await expectRings(
      {
        prepare: keep(short),
        acts: [
          [0, (lab) => void lab.specs.pop()],
          [50 * hour, (lab) => void lab.store.kept.delete('shop')],
        ],
      },
      { DegradedCertificates: { rings: soonAfter(0), ends: soonEnded(50 * hour), for: ['Abandoned'] } },
    );
  });

  it('2: a forgotten pause rings once half of the margin is gone, and ends when the certificate is ordered', async () => {
    const halfGone = 2 * day;
    const pause = { pausedSince: at(-3 * dayMs), pauseReason: 'until the migration' };
    await expectRings(
      { prepare: keep({ ...begun(73), ...pause, deployed: delivered }), acts: [[4 * day, renew]] },
      {
        DegradedCertificates: { rings: soonAfter(halfGone), ends: soonEnded(4 * day), for: ['ExpiresSoon'] },
      },
    );
  });

  it('3: an order that fails daily rings once after its day, not at each failure, and ends with the order', async () => {
    // A scheduled pass that fails so is no error of the function.
    const fail = (failures: number) => (lab: StatusLab) =>
      lab.change('shop', { failures, error: problem.code, problem, nextAttempt: at(failures * dayMs) });
    await expectRings(
      {
        prepare: keep({ ...begun(60), deployed: delivered }),
        acts: [
          [0, fail(1)],
          [day, fail(2)],
          [2 * day, fail(3)],
          [3 * day, fail(4)],
          [4 * day, renew],
        ],
      },
      { DegradedCertificates: { rings: soonAfter(day), ends: soonEnded(4 * day), for: ['OrderFailing'] } },
    );
  });

  it('4: one that DNS holds back rings if the inventory has it, and never if a stranger asked for it', async () => {
    const held = { problem: { ...problem, code: 'PreflightFailed', words: 'no hosted zone' } };
    const spec = { name: 'shop', domains: ['shop.example.com'], issuer: 'default', targets: [] };
    const ask = (lab: StatusLab) => {
      lab.specs.push({ ...spec, key: 'ecdsa-p256' });
      lab.unissued('shop', held);
    };
    await expectRings(
      {
        acts: [
          [0, ask],
          [5 * hour, renew],
        ],
      },
      {
        DegradedCertificates: { rings: soonAfter(0), ends: soonEnded(5 * hour), for: ['PreflightFailed'] },
      },
    );
    const register = (lab: StatusLab) => {
      const zones = ['example.com'];
      lab.sections = { registration: { zones, issuer: 'default', key: 'ecdsa-p256', targets: [] } };
      lab.unissued('shop', { ...held, source: 'registration', domains: spec.domains });
    };
    await expectRings({ acts: [[0, register]] }, {});
    await expectRings(
      {
        acts: [
          [0, register],
          [day, (lab) => lab.change('shop', { failures: 3 })],
        ],
      },
      {},
    );
  });

  it('5: a failing target rings after its hour, and ends when it has the certificate', async () => {
    const holds = [{ version: 'v0', notAfter: at(30 * dayMs) }];
    const fail = (lab: StatusLab) =>
      lab.stored('shop', {
        ...begun(0),
        deployed: { ...describeProgress('v1', [target], ['none']), holds },
        deliveryProblem: { ...problem, code: 'Forbidden', cause: 'target/lab/shop/shop-tls' },
      });
    await expectRings(
      {
        prepare: keep({ ...begun(60), deployed: delivered }),
        acts: [
          [0, fail],
          [30 * hour, renew],
        ],
      },
      {
        DegradedCertificates: {
          rings: soonAfter(hour),
          ends: soonEnded(30 * hour),
          for: ['DeliveryFailing'],
        },
      },
    );
  });
});

describe('an agent or a function', () => {
  it('6: a silent agent rings after its hour, and ends when it reports', async () => {
    await expectRings(
      { silent: { agent: [1, 3 * day] } },
      { DegradedOthers: { rings: soonAfter(hour), ends: soonEnded(3 * day), for: ['AgentSilent'] } },
    );
  });

  it('7: an agent that fails at every other pass rings once, and ends when it has stopped failing', async () => {
    const passes = Array.from({ length: (24 * 60) / 15 }, (_, index) => index);
    const report = (index: number) => (lab: StatusLab) => {
      const [{ problem: _, ...agent } = { cluster: 'edge' }] = lab.agents;
      lab.agents = [index % 2 === 0 ? { ...agent, problem: 'shop was not signed' } : agent];
    };
    await expectRings(
      { acts: passes.map((index) => [index * 15 * minute, report(index)]) },
      {
        DegradedOthers: {
          rings: soonAfter(0),
          ends: [day - 16 * minute, day + 91 * minute],
          for: ['AgentFailing'],
        },
      },
    );
  });

  it('8: issue that does not run rings after a day, and ends with its next pass', async () => {
    await expectRings(
      { silent: { issue: [1, 2 * day] } },
      { DegradedOthers: { rings: soonAfter(day), ends: soonEnded(2 * day), for: ['NotRunning'] } },
    );
  });

  it('9: probe that ends with an error each time rings within hours, by its errors and then by its absence', async () => {
    // The schedule calls each half hour, and Lambda tries twice again.
    const failures = everySeconds(30 * minute, 0).flatMap((second) =>
      second >= 0 && second < 2 * day ? [second, second + 3 * minute, second + 6 * minute] : [],
    );
    await expectRings(
      { silent: { probe: [1, 2 * day] }, errors: { probe: failures } },
      {
        FunctionsFailed: { rings: [0, 2 * hour + minute], ends: [2 * day, 2 * day + 15 * hour] },
        DegradedOthers: { rings: soonAfter(day), ends: soonEnded(2 * day), for: ['NotRunning'] },
      },
    );
  });

  it('10: where nothing runs, silence rings within hours, and ends with the first status', async () => {
    const nothing = [0, day] as const;
    const passes = [1, day] as const;
    const silent = { rings: [30 * minute, 4 * hour], ends: [day, day + 46 * minute] } as const;
    await expectRings(
      { silent: { status: nothing, issue: passes, deploy: passes, probe: passes, agent: passes } },
      { DegradedCertificates: silent, DegradedOthers: silent },
    );
  });
});

describe('a message and the webhook', () => {
  it('11: a dead letter rings until it is taken out, also when its queue has no data any more', async () => {
    const dead: Story['dead'] = (queue, at) => {
      if (!queue.includes('IssueDeadLetters')) return undefined;
      if (at >= 0 && at < 6 * hour) return 1;
      return at >= 3 * day && at < 3 * day + 6 * hour ? 0 : undefined;
    };
    await expectRings(
      { dead },
      { MessagesDead: { rings: [0, 6 * minute], ends: [3 * day, 3 * day + 11 * minute] } },
    );
  });

  it('12: a flood rings once although it comes and goes, and ends half an hour after it; a few refusals do not', async () => {
    const isFlood = (at: number) => at >= 0 && at < 3 * hour && at % (20 * minute) < 10 * minute;
    const answers: Story['answers'] = (status, at) => (status === '4xx' ? (isFlood(at) ? 60 : 1) : 0);
    await expectRings(
      { answers },
      { RegisterFlooded: { rings: [0, 11 * minute], ends: [3 * hour, 4 * hour] } },
    );
  });

  it('a registration that was answered with 500 rings, and ends after an hour without another', async () => {
    const answers: Story['answers'] = (status, at) => (status === '5xx' && at >= 0 && at < minute ? 1 : 0);
    await expectRings({ answers }, { RegisterFailed: { rings: [0, 11 * minute], ends: [hour, 2 * hour] } });
  });
});

describe('nothing rings', () => {
  it('for a status that fails once, or is late', async () => {
    await expectRings({ silent: { status: [0, 15 * minute] } }, {});
    await expectRings({ silent: { status: [0, 29 * minute] } }, {});
  });

  it('for a function that fails once', async () => {
    await expectRings({ errors: { issue: [0], deploy: [day] } }, {});
  });

  it('in a new or upgraded stack before its first status, because the deploy puts a first value', () => {
    for (const evaluation of evaluations) {
      for (const [id, alarm] of alarmsOf(template)) {
        const first = [
          { at: -4 * minute, value: 0 },
          ...[3, 18, 33, 48, 63].map((m) => ({ at: m * minute, value: 0 })),
        ];
        const samples: Samples = (namespace) => (namespace === 'Certrelay' ? first : []);
        const span = { from: 0, until: 70 * minute };
        const states = evaluateAlarm(alarm, samples, span, evaluation).map(({ state }) => state);
        expect(states, `${id} ${JSON.stringify(evaluation)}`).not.toContain('ALARM');
      }
    }
  });
});

describe('other rates', () => {
  /** The template with another rate of `status`. */
  const withRate = (rate: string): Template => {
    const Resources = structuredClone(template.Resources);
    const { StatusSchedule } = Resources;
    if (StatusSchedule) StatusSchedule.Properties.ScheduleExpression = rate;
    fillAlarms(Resources, ['issue', 'deploy']);
    return { ...template, Resources };
  };

  it.each([
    ['rate(5 minutes)', 5 * minute],
    ['rate(1 hour)', hour],
    ['rate(12 hours)', 12 * hour],
    ['rate(1 day)', day],
  ])('statusRate %s: no alarm rings while all is well, and trouble does', async (rate, statusEvery) => {
    const other = withRate(rate);
    await expectRings({ statusEvery, judged: () => ({}) }, {}, other);
    const rings = [0, 4 * statusEvery] as const;
    const ends = [2 * day, 2 * day + 5 * statusEvery] as const;
    const trouble = { statusEvery, judged: level(0, 2 * day + 1) };
    await expectRings(trouble, { DegradedCertificates: { rings, ends } }, other);
  });

  it('a rate beyond what CloudWatch can look back gives the longest window', () => {
    expect(alarmsOf(withRate('rate(30 days)'))).toHaveLength(alarmsOf(template).length);
  });
});
