// What `issue` hands over to people who want to know what was issued.
import { expect, it } from 'vitest';
import type { NoticeMessage } from '../../lib/ports/notices.ts';
import { Harness, specOf } from './harness.ts';

it('everything that a pass issued is one message, and a queue that fails is an error in the log alone', async () => {
  const harness = new Harness([specOf('shop', ['shop.example.com']), specOf('api', ['api.example.com'])]);
  const messages: NoticeMessage[] = [];
  harness.notices = { send: async (message) => void messages.push(message) };
  await harness.run({ dryRun: true });
  await harness.run();
  await harness.run();
  expect(messages).toHaveLength(1);
  const { version, notAfter } = harness.state('shop');
  expect(messages[0]?.issued).toHaveLength(2);
  expect(messages[0]?.issued).toContainEqual(
    expect.objectContaining({ certificate: 'shop', domains: ['shop.example.com'], version, notAfter }),
  );
  harness.notices = {
    send: async () => {
      throw new Error('the queue is not there');
    },
  };
  const { failures } = await harness.run({ certificates: ['shop'], force: true });
  expect(failures).toEqual([]);
  expect(harness.log.events()).toContain('changes not queued');
});
