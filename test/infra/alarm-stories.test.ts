// Twelve stories over the alarms of the packaged template: when each rings, when it ends, and that nothing
// else rings and nothing flaps. What `status` judges is given here as a series (`Judged`).
import { beforeAll, describe, expect, it } from 'vitest';
import { fillAlarms } from '../../infra/alarms.ts';
import {
  type Evaluation,
  evaluateAlarm,
  readAlarm,
  type Sample,
  type Samples,
  type Transition,
} from './alarm-evaluator.ts';
import { readPackagedService, type Template } from './packaged.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** What `status` measures at a second of the time line; `undefined`: it does not run. */
type Judged = (at: number) => { readonly certificates?: number; readonly others?: number } | undefined;

/** One story: 0 is when trouble begins, on an installation that has run for days. */
interface Story {
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
const fine = {};

function samplesOf({ judged = () => fine, errors = {}, dead, answers, statusEvery }: Story): Samples {
  const every = statusEvery ?? 15 * minute;
  const statusRuns = everySeconds(every, 7);
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
function listen(story: Story, evaluation: Evaluation, from: Template = template) {
  const samples = samplesOf(story);
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

/** Asserts that the alarms ring once each, within the bounds, whatever CloudWatch does where its documents
 *  say nothing, and that no other rings. Without `ends` it goes on ringing. */
function expectRings(
  story: Story,
  rings: Readonly<Record<string, { rings: readonly [number, number]; ends?: readonly [number, number] }>>,
  from?: Template,
): void {
  for (const evaluation of evaluations) {
    const heard = listen(story, evaluation, from);
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

function expectWithin(at: number | undefined, [least, most]: readonly [number, number], said: string): void {
  expect(at, said).toBeGreaterThanOrEqual(least);
  expect(at, said).toBeLessThanOrEqual(most);
}

const inHours = (heard: Readonly<Record<string, readonly Transition[]>>) =>
  Object.entries(heard).map(([id, list]) => [id, ...list.map(({ at, state }) => `${at / hour} h ${state}`)]);

/** A level that lasts from one second to another. */
const level =
  (what: 'certificates' | 'others', from: number, to: number): Judged =>
  (at) => ({ [what]: at >= from && at < to ? 1 : 0 });

/** Rings with the first status that sees it; ends when no status has seen it for twice its interval. */
const soonAfter = (at: number) => [at, at + 46 * minute] as const;
const soonEnded = (at: number) => [at + 14 * minute, at + 91 * minute] as const;

describe('a certificate', () => {
  it('1: an expired orphan rings while it is there, and ends when it is retired', () => {
    expectRings(
      { judged: level('certificates', 0, 50 * hour) },
      { DegradedCertificates: { rings: soonAfter(0), ends: soonEnded(50 * hour) } },
    );
  });

  it('2: a forgotten pause rings once half of the margin is gone, and ends when the certificate is ordered', () => {
    const halfGone = 2 * day;
    expectRings(
      { judged: level('certificates', halfGone, 4 * day) },
      { DegradedCertificates: { rings: soonAfter(halfGone), ends: soonEnded(4 * day) } },
    );
  });

  it('3: an order that fails daily rings once after its day, not at each failure, and ends with the order', () => {
    const failures = [0, 1, 2, 3].map((days) => days * day);
    const judged = level('certificates', day, 4 * day);
    // The pass that failed has answered with a report: it is no error of the function.
    expectRings(
      { judged, errors: { issue: [failures[0] ?? 0] } },
      { DegradedCertificates: { rings: soonAfter(day), ends: soonEnded(4 * day) } },
    );
  });

  it('4: one that DNS holds back rings if the inventory has it, and never if a stranger asked for it', () => {
    expectRings(
      { judged: level('certificates', 0, 5 * hour) },
      { DegradedCertificates: { rings: soonAfter(0), ends: soonEnded(5 * hour) } },
    );
    expectRings({ judged: () => fine }, {});
  });

  it('5: a failing target rings after its hour, and ends when it has the certificate', () => {
    expectRings(
      { judged: level('certificates', hour, 30 * hour) },
      { DegradedCertificates: { rings: soonAfter(hour), ends: soonEnded(30 * hour) } },
    );
  });
});

describe('an agent or a function', () => {
  it('6: a silent agent rings after its hour, and ends when it reports', () => {
    expectRings(
      { judged: level('others', hour, 3 * day) },
      { DegradedOthers: { rings: soonAfter(hour), ends: soonEnded(3 * day) } },
    );
  });

  it('7: an agent that fails at every other pass rings once, and ends when it has stopped failing', () => {
    const judged: Judged = (at) => ({
      others: at >= 0 && at < day && Math.floor(at / (15 * minute)) % 2 === 0 ? 1 : 0,
    });
    expectRings(
      { judged },
      { DegradedOthers: { rings: soonAfter(0), ends: [day - 16 * minute, day + 91 * minute] } },
    );
  });

  it('8: issue that does not run rings after a day, and ends with its next pass', () => {
    expectRings(
      { judged: level('others', day, 2 * day) },
      { DegradedOthers: { rings: soonAfter(day), ends: soonEnded(2 * day) } },
    );
  });

  it('9: probe that ends with an error each time rings within hours, by its errors and then by its absence', () => {
    // The schedule calls each half hour, and Lambda tries twice again.
    const failures = everySeconds(30 * minute, 0).flatMap((at) =>
      at >= 0 && at < 2 * day ? [at, at + 3 * minute, at + 6 * minute] : [],
    );
    expectRings(
      { judged: level('others', day, 2 * day), errors: { probe: failures } },
      {
        FunctionsFailed: { rings: [0, 2 * hour + minute], ends: [2 * day, 2 * day + 15 * hour] },
        DegradedOthers: { rings: soonAfter(day), ends: soonEnded(2 * day) },
      },
    );
  });

  it('10: where nothing runs, silence rings within hours, and ends with the first status', () => {
    const judged: Judged = (at) => (at >= 0 && at < day ? undefined : fine);
    const silent = { rings: [30 * minute, 4 * hour], ends: [day, day + 46 * minute] } as const;
    expectRings({ judged }, { DegradedCertificates: silent, DegradedOthers: silent });
  });
});

describe('a message and the webhook', () => {
  it('11: a dead letter rings until it is taken out, also when its queue has no data any more', () => {
    const dead: Story['dead'] = (queue, at) => {
      if (!queue.includes('IssueDeadLetters')) return undefined;
      if (at >= 0 && at < 6 * hour) return 1;
      return at >= 3 * day && at < 3 * day + 6 * hour ? 0 : undefined;
    };
    expectRings(
      { dead },
      { MessagesDead: { rings: [0, 6 * minute], ends: [3 * day, 3 * day + 11 * minute] } },
    );
  });

  it('12: a flood rings once although it comes and goes, and ends half an hour after it; a few refusals do not', () => {
    const isFlood = (at: number) => at >= 0 && at < 3 * hour && at % (20 * minute) < 10 * minute;
    const answers: Story['answers'] = (status, at) => (status === '4xx' ? (isFlood(at) ? 60 : 1) : 0);
    expectRings({ answers }, { RegisterFlooded: { rings: [0, 11 * minute], ends: [3 * hour, 4 * hour] } });
  });

  it('a registration that was answered with 500 rings, and ends after an hour without another', () => {
    const answers: Story['answers'] = (status, at) => (status === '5xx' && at >= 0 && at < minute ? 1 : 0);
    expectRings({ answers }, { RegisterFailed: { rings: [0, 11 * minute], ends: [hour, 2 * hour] } });
  });
});

describe('nothing rings', () => {
  it('for a status that fails once, or is late', () => {
    expectRings({ judged: (at) => (at >= 0 && at < 15 * minute ? undefined : fine) }, {});
    expectRings({ judged: (at) => (at >= 0 && at < 29 * minute ? undefined : fine) }, {});
  });

  it('for a function that fails once', () => {
    expectRings({ errors: { issue: [0], deploy: [day] } }, {});
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
  ])('statusRate %s: no alarm rings while all is well, and trouble does', (rate, statusEvery) => {
    const other = withRate(rate);
    expectRings({ statusEvery }, {}, other);
    const rings = [0, 4 * statusEvery] as const;
    const ends = [2 * day, 2 * day + 5 * statusEvery] as const;
    const trouble = { statusEvery, judged: level('certificates', 0, 2 * day + 1) };
    expectRings(trouble, { DegradedCertificates: { rings, ends } }, other);
  });

  it('a rate beyond what CloudWatch can look back gives the longest window', () => {
    expect(alarmsOf(withRate('rate(30 days)'))).toHaveLength(alarmsOf(template).length);
  });
});
