// Publishes events on an EventBridge bus, so that operators can run something after a delivery.
import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import { type Announce, EventError } from '../../ports/events.ts';
import { type AwsFailure, callAws } from '../aws/failure.ts';
import { awsTimeouts } from '../aws/timeouts.ts';

/** Which bus, and how it is reached. */
export interface EventBusOptions {
  /** Name of a bus in this account and region. */
  readonly bus: string;
  /** Overrides what the SDK reads from the environment (region, credentials, endpoint). */
  readonly config?: EventBridgeClientConfig;
}

/** One event bus. */
export interface EventBus {
  /** Publishes `Certificate Delivered`. After a lost answer the bus may have the event twice. */
  readonly announce: Announce;
  /** Closes idle connections. */
  close(): void;
}

/** A bus. The first event opens a connection. */
export function connectEventBus({ bus, config }: EventBusOptions): EventBus {
  const client = new EventBridgeClient({ requestHandler: awsTimeouts, ...config });
  return {
    async announce(delivered, signal) {
      const entry = {
        EventBusName: bus,
        Source: 'certrelay',
        DetailType: 'Certificate Delivered',
        Detail: JSON.stringify(delivered),
      };
      await callAws(
        signal,
        async (options) => {
          const command = new PutEventsCommand({ Entries: [entry] });
          const { FailedEntryCount = 0, Entries = [] } = await client.send(command, options);
          // The call also succeeds if the bus refuses its entries.
          if (FailedEntryCount > 0) throw refusalError(Entries[0]?.ErrorCode);
        },
        (failure) => translate(failure, bus),
      );
    },
    close: () => client.destroy(),
  };
}

function refusalError(code = 'no reason given'): Error {
  return Object.assign(new Error('the bus refused the event'), { name: code });
}

function translate({ kind, name, cause }: AwsFailure, bus: string): EventError {
  const message =
    kind === 'denied'
      ? `AWS denied events:PutEvents on the bus ${bus}: set the parameter eventBus, which gives it to deploy's role`
      : `the event was not put on the bus ${bus} (${name}); it is not sent again`;
  return new EventError('EventFailed', message, { cause });
}
