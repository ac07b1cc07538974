// The same work given to several runs, at once or again, as schedules, queues and people do: it is done once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTrios, type Trios, trio } from './harness.ts';

let trios: Trios;

beforeAll(async () => {
  trios = await startTrios([1, 2, 3, 4, 5]);
});
afterAll(() => trios.sandbox.stop());

describe('the same due certificates', () => {
  it.each([
    [2, 1],
    [8, 2],
  ])('in %i runs at once are ordered once each', async (runs, number) => {
    await trios.ask(trio(number));
    const results = await Promise.all(Array.from({ length: runs }, () => trios.run()));
    expect(results.flatMap(({ error }) => error ?? [])).toEqual([]);
    expect(trios.findFaults(trio(number))).toEqual([]);
  });

  it('named by a message that SQS delivers three times, twice of it at once, are ordered once each', async () => {
    const { lambda, events } = trios.sandbox;
    await trios.ask(trio(3));
    const seen = events.length;
    sendMessage(3);
    await ordered(3);
    const delivery = JSON.parse(events[seen] ?? '');
    const again = () => lambda.call('issue', delivery);
    const answers = await Promise.all([again(), again()]);
    expect(answers).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(trios.findFaults(trio(3))).toEqual([]);
  });

  it('found by a schedule that fires twice, and named by a message that comes twice, are ordered once each', async () => {
    await trios.ask(trio(4));
    sendMessage(4);
    sendMessage(4);
    const results = await Promise.all([trios.run(), trios.run()]);
    expect(results.flatMap(({ error }) => error ?? [])).toEqual([]);
    await ordered(4);
    // A run that found them due before may still claim them, to find that there is nothing to do: that claim
    // goes at once, whereas one that is left would stand for a quarter of an hour.
    await expect
      .poll(async () => (await trios.run()).answer)
      .toMatchObject({ summary: { certificates: 3, keep: 3 } });
    await ordered(4);
  });

  it('claimed by a run that comes late are given back once it finds that another one has ordered them', async () => {
    await trios.ask(trio(5));
    const [late, others] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { journal } = trios.sandbox;
    const seen: (readonly string[])[] = [];
    let isFirst = true;
    const stops = [
      journal.before(async ({ action, resource }) => {
        if (action !== 'PutSecretValue' || !resource.includes('/renewal-5-') || !isFirst) return;
        isFirst = false;
        late.resolve();
        await others.promise;
      }),
      journal.after(({ action, resource }) => {
        if (action === 'UpdateSecretVersionStage' && resource.includes('/renewal-5-'))
          seen.push(trios.findFaults(trio(5)).filter((fault) => fault.startsWith('renewal-5')));
      }),
    ];
    const run = trios.run();
    await late.promise;
    expect((await trios.run()).answer).toMatchObject({ certificates: expect.anything() });
    seen.splice(0);
    others.resolve();
    await run;
    for (const stop of stops) stop();
    expect(seen).toEqual([['renewal-5 is still claimed'], []]);
    expect(trios.findFaults(trio(5))).toEqual([]);
  });
});

/** As the webhook tells the issue function. */
function sendMessage(number: number): void {
  const certificates = trio(number).map(({ name }) => name);
  trios.sandbox.queues.issue.send(JSON.stringify({ certificates }));
}

function ordered(number: number): Promise<void> {
  return expect.poll(() => trios.findFaults(trio(number))).toEqual([]);
}
