// Puts events on an EventBridge bus: what is told of certificates and of the installation.
import { setTimeout as delay } from 'node:timers/promises';
import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import type { Announcement } from '../../policy/events/announcement.ts';
import { describeEvent } from '../../policy/events/detail.ts';
import { EventError, type PutEvents, type PutResult } from '../../ports/events.ts';
import { type AwsFailure, readAwsFailure } from '../aws/failure.ts';
import { batchEntries } from './batches.ts';

/** Which bus, for which installation, and how it is reached. */
export interface EventBusOptions {
  /** Name of a bus in this account and region. */
  readonly bus: string;
  /** The prefix: events say whose they are. */
  readonly installation: string;
  /** Overrides what the SDK reads from the environment (region, credentials, endpoint). */
  readonly config?: EventBridgeClientConfig;
}

/** One event bus. */
export interface EventBus {
  readonly put: PutEvents;
  /** Closes idle connections. */
  close(): void;
}

/** An event must not hold up the work that it tells of, so a bus that does not answer is given up soon. */
const timeouts = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true } as const;
const mostMs = 8_000;
/** How long a bus that did not answer is not asked again, in milliseconds. */
const silenceMs = 60_000;
/** Waiting times before entries that the bus could not take right now are put again, in milliseconds. */
const pausesMs = [200, 800] as const;

/** A bus. The first event opens a connection. */
export function connectEventBus({ bus, installation, config }: EventBusOptions): EventBus {
  const client = new EventBridgeClient({ requestHandler: timeouts, maxAttempts: 2, ...config });
  let silentUntil = 0;

  /** Puts one batch, and what the bus could not take of it again. Rejects with the SDK's error. */
  async function putBatch(
    entries: readonly PutEventsRequestEntry[],
    signal: AbortSignal,
  ): Promise<readonly (string | undefined)[]> {
    const command = new PutEventsCommand({ Entries: [...entries] });
    const { FailedEntryCount = 0, Entries = [] } = await client.send(command, { abortSignal: signal });
    // The call also succeeds if the bus refuses entries.
    if (FailedEntryCount === 0) return entries.map(() => undefined);
    return entries.map((_, index) => {
      const { EventId, ErrorCode } = Entries[index] ?? {};
      return ErrorCode ?? (EventId === undefined ? 'no reason given' : undefined);
    });
  }

  async function putPatiently(
    entries: readonly PutEventsRequestEntry[],
    signal: AbortSignal,
  ): Promise<readonly (string | undefined)[]> {
    const codes = [...(await putBatch(entries, signal))];
    for (const pause of pausesMs) {
      const busy = [...codes.keys()].filter((index) => /^(?:Throttl|Internal)/.test(codes[index] ?? ''));
      if (busy.length === 0) break;
      await delay(pause, undefined, { signal });
      const again = await putBatch(
        busy.flatMap((index) => entries[index] ?? []),
        signal,
      );
      for (const [position, index] of busy.entries()) codes[index] = again[position];
    }
    return codes;
  }

  async function put(
    announcements: readonly Announcement[],
    signal: AbortSignal,
  ): Promise<readonly PutResult[]> {
    signal.throwIfAborted();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(mostMs)]);
    const results: PutResult[] = [];
    for (const batch of batchEntries(announcements.map((one) => entryOf(one, bus, installation)))) {
      if (limit.aborted || Date.now() < silentUntil) {
        results.push(...batch.map(() => refusal(bus, 'it did not answer')));
        continue;
      }
      try {
        const codes = await putPatiently(batch, limit);
        results.push(...codes.map((code) => (code === undefined ? 'put' : refusal(bus, code))));
      } catch (error) {
        signal.throwIfAborted();
        const failure = readAwsFailure(error);
        if (limit.aborted || failure.kind === 'unreachable') silentUntil = Date.now() + silenceMs;
        results.push(...batch.map(() => translate(failure, bus)));
      }
    }
    return results;
  }

  return { put, close: () => client.destroy() };
}

function entryOf(announcement: Announcement, bus: string, installation: string): PutEventsRequestEntry {
  const { type, arn } = announcement;
  return {
    EventBusName: bus,
    Source: 'certrelay',
    DetailType: type,
    Detail: JSON.stringify(describeEvent(announcement, installation)),
    Resources: arn === undefined ? [] : [arn],
  };
}

function refusal(bus: string, code: string, cause?: unknown): EventError {
  return new EventError('EventFailed', `the event was not put on the bus ${bus} (${code})`, { cause });
}

function translate({ kind, name, cause }: AwsFailure, bus: string): EventError {
  if (kind !== 'denied') return refusal(bus, name, cause);
  const message = `AWS denied events:PutEvents on the bus ${bus}: set the parameter eventBus, which gives it to the functions' roles, and look at the policy of the bus`;
  return new EventError('EventFailed', message, { cause });
}
