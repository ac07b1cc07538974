// The event bus in memory: keeps events as they are put, and can be told to refuse them.
import type { Announcement } from '../../lib/policy/events/announcement.ts';
import { describeEvent } from '../../lib/policy/events/detail.ts';
import { EventError, type PutResult } from '../../lib/ports/events.ts';

/** Events in the order in which they were put. */
export class FakeEventBus {
  readonly events: (ReturnType<typeof describeEvent> & {
    readonly type: string;
    readonly arn: string | undefined;
  })[] = [];
  isClosed = false;
  /** Called after each event. */
  afterPut: () => void = () => undefined;

  readonly put = async (announcements: readonly Announcement[]): Promise<readonly PutResult[]> => {
    if (this.isClosed) return announcements.map(() => new EventError('EventFailed', 'the bus is closed'));
    for (const one of announcements) {
      this.events.push({ type: one.type, arn: one.arn, ...describeEvent(one, 'certrelay') });
      this.afterPut();
    }
    return announcements.map(() => 'put');
  };

  types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }
}
