// SQS batches: one pass for all messages that only name certificates, and an answer for each message.
import { describe, expect, it } from 'vitest';
import { answerBatch } from '../../functions/runtime/batch.ts';
import { PartError } from '../../lib/ports/errors.ts';
import { parseDeployEvent, parseIssueEvent } from '../../lib/requests/requests.ts';
import { FakeLog } from '../fakes/log.ts';

const bodies = (...texts: readonly string[]) => ({
  Records: texts.map((body, index) => ({ messageId: `m${index + 1}`, body, eventSource: 'aws:sqs' })),
});

/** The same messages as SQS delivers them the n-th time. */
const again = (times: number, ...texts: readonly string[]) => ({
  Records: bodies(...texts).Records.map((record) => ({
    ...record,
    attributes: { ApproximateReceiveCount: `${times}`, SentTimestamp: '1793000000000' },
  })),
});

/** The batch's answer where the named certificates fail, and the requests that were worked on. */
async function answer(failing: readonly string[], ...texts: readonly string[]) {
  const parsed = parseIssueEvent(bodies(...texts));
  if (parsed.kind !== 'batch') throw new Error('not a batch');
  const asked: object[] = [];
  const work = async (request: { readonly certificates?: readonly string[] | undefined }) => {
    asked.push(request);
    const names = request.certificates ?? failing;
    return new Map(
      names.filter((name) => failing.includes(name)).map((name) => [name, new Error('it failed')]),
    );
  };
  const { batchItemFailures } = await answerBatch(parsed.messages, work, new FakeLog());
  return { asked, failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) };
}

describe('a batch', () => {
  it('is one pass over all certificates that its messages name', async () => {
    const { asked } = await answer([], '{"certificates":["a","b"]}', '{"certificates":["b","c"]}');
    expect(asked).toEqual([{ certificates: ['a', 'b', 'c'] }]);
  });

  it('gives back only the messages of which a certificate failed', async () => {
    const { failed } = await answer(['b'], '{"certificates":["a"]}', '{"certificates":["b","c"]}');
    expect(failed).toEqual(['m2']);
  });

  it('gives back a message that cannot be read, and does the others', async () => {
    const { asked, failed } = await answer([], 'not JSON', '{"certificate":"a"}', '{"certificates":["a"]}');
    expect(failed).toEqual(['m1', 'm2']);
    expect(asked).toEqual([{ certificates: ['a'] }]);
  });

  it('with a message that names none is a pass over everything, which fails with any certificate', async () => {
    const { asked, failed } = await answer(['z'], '{}', '{"certificates":["a"]}');
    expect(asked).toEqual([{}]);
    expect(failed).toEqual(['m1']);
  });

  it('with what a pass left for later is understood by the function that sent it', async () => {
    const { asked, failed } = await answer([], '{"certificates":["a"],"fruitless":2}');
    expect([asked, failed]).toEqual([[{ certificates: ['a'], fruitless: 2 }], []]);
  });

  it('is one pass over all clusters that its messages name, beside the one over certificates', async () => {
    const texts = ['{"clusters":["a"]}', '{"certificates":["shop"]}', '{"clusters":["b"]}'];
    const parsed = parseDeployEvent(bodies(...texts), 'certrelay');
    if (parsed.kind !== 'batch') throw new Error('not a batch');
    const asked: object[] = [];
    const work = async (request: object) => {
      asked.push(request);
      return new Map<string, unknown>();
    };
    await answerBatch(parsed.messages, work, new FakeLog());
    expect(asked).toEqual([{ certificates: ['shop'] }, { clusters: ['a', 'b'] }]);
  });

  it.each([
    ['that `status` tells, until that would make it a dead letter', true, [true, true, false, false]],
    ['that it does not tell, until it is a dead letter', false, [true, true, true, true]],
  ])('gives back a message with a failure %s', async (_, isTold, expected) => {
    const error = new PartError('shop', new Error('it failed'), { isTold });
    const comeAgain = [1, 2, 3, 4].map(async (times) => {
      const parsed = parseIssueEvent(again(times, '{"certificates":["shop"]}'));
      if (parsed.kind !== 'batch') throw new Error('not a batch');
      const work = async () => new Map([['shop', error]]);
      const { batchItemFailures } = await answerBatch(parsed.messages, work, new FakeLog());
      return batchItemFailures.length === 1;
    });
    expect(await Promise.all(comeAgain)).toEqual(expected);
  });

  it('never spreads the force of one message over the others', async () => {
    const { asked } = await answer([], '{"certificates":["a"],"force":true}', '{"certificates":["b"]}');
    expect(asked).toEqual([{ certificates: ['b'] }, { certificates: ['a'], force: true }]);
  });

  it('gives back the messages of a pass that throws, and those alone; the passes after it are made', async () => {
    const texts = ['{"certificates":["a"]}', '{"clusters":["lab"]}', '{"certificates":["b"],"resume":true}'];
    const parsed = parseDeployEvent(bodies(...texts, '{"certificates":["c"]}'), 'certrelay');
    if (parsed.kind !== 'batch') throw new Error('not a batch');
    const asked: object[] = [];
    const work = async (request: object) => {
      asked.push(request);
      if (asked.length === 1) throw new Error('the store cannot be listed');
      return new Map<string, unknown>();
    };
    const log = new FakeLog();
    const { batchItemFailures } = await answerBatch(parsed.messages, work, log);
    expect(asked).toHaveLength(3);
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m1', 'm4']);
    const problem = 'the store cannot be listed';
    expect(log.lines).toEqual([
      {
        level: 'error',
        event: 'messages failed',
        fields: { messageIds: ['m1', 'm4'], code: 'Unexpected', problem },
      },
    ]);
  });
});
