// Amazon EventBridge for the sandbox: PutEvents of its AWS JSON 1.1 protocol, with the buses it is told to
// have.
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { answer, readJson, refuse } from '../aws-json.ts';
import { type Part, type Surroundings, serve } from '../http-server.ts';
import { readSignature } from '../principal.ts';

/** An event as a rule of its bus sees it. */
export interface BusEvent {
  readonly bus: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly resources: readonly string[];
  readonly detail: object;
}

export interface SandboxEventBridge {
  /** For `AWS_ENDPOINT_URL_EVENTBRIDGE`. */
  readonly url: string;
  /** What reached its buses, in order. */
  readonly events: readonly BusEvent[];
  /** Code that entries fail with from now on, such as `InternalFailure`, while the call itself succeeds. */
  failing?: FailingEntries | undefined;
  stop(): Promise<void>;
}

/** Entries that fail. Absent `entries`: each; absent `calls`: in every call. */
export interface FailingEntries {
  readonly code: string;
  /** Their positions in a call. */
  readonly entries?: readonly number[];
  /** In how many more calls. */
  readonly calls?: number;
}

// AWS documents 1 MB since 2025; 256 KiB before, which still holds for what many targets take.
const largestRequestBytes = 262_144;
const account = '123456789012';
const required = z.string().min(1);
const entry = z.object({
  EventBusName: required.default('default'),
  Source: z.string().optional(),
  DetailType: z.string().max(128).optional(),
  Resources: z.array(z.string()).default([]),
  Detail: z.string().optional(),
});
type Entry = z.output<typeof entry>;
const input = z.object({ Entries: z.array(entry).min(1).max(10) });
const complete = z.object({ Source: required, DetailType: required, Detail: required });
const json = z.record(z.string(), z.unknown());

/** Starts it; there is no CreateEventBus. Only signed requests are answered. */
export async function startEventBridge({
  buses,
  ...surroundings
}: Surroundings & { readonly buses: readonly string[] }): Promise<SandboxEventBridge> {
  const events: BusEvent[] = [];
  let service: SandboxEventBridge | undefined;
  const part: Part = {
    service: 'events',
    describe(request) {
      const action = /^AWSEvents\.(\w+)$/.exec(String(request.headers['x-amz-target'] ?? ''))?.[1];
      if (action === undefined) return undefined;
      const { principal = 'unknown', region = '' } = readSignature(request.headers.authorization) ?? {};
      const entries = input.safeParse(readJson(request)).data?.Entries ?? [];
      const arnOf = (bus: string) => `arn:aws:events:${region}:${account}:event-bus/${bus}`;
      const resource = arnOf(entries[0]?.EventBusName ?? '*');
      const needs = entries.map(({ EventBusName: name, Source = '', DetailType = '' }) => ({
        action: `events:${action}`,
        resource: arnOf(name),
        conditions: { 'events:source': [Source], 'events:detail-type': [DetailType] },
      }));
      return { action, resource, principal, needs };
    },
    handle(request) {
      if (readSignature(request.headers.authorization)?.service !== 'events') {
        return refuse('MissingAuthenticationTokenException', 403, 'Missing Authentication Token');
      }
      const parsed = input.safeParse(readJson(request));
      if (!parsed.success) return refuse('ValidationException', 400, z.prettifyError(parsed.error));
      const { Entries } = parsed.data;
      if (Entries.reduce((sum, one) => sum + sizeOf(one), 0) >= largestRequestBytes) {
        return refuse(
          'ValidationException',
          400,
          'Total size of the entries in the request is over the limit.',
        );
      }
      const failing = service?.failing;
      const results = Entries.map((one, position) =>
        failing && (failing.entries?.includes(position) ?? true)
          ? { ErrorCode: failing.code, ErrorMessage: 'set by a test' }
          : put(one),
      );
      if (service && failing?.calls !== undefined)
        service.failing = failing.calls > 1 ? { ...failing, calls: failing.calls - 1 } : undefined;
      const FailedEntryCount = results.filter((result) => 'ErrorCode' in result).length;
      return answer(200, { FailedEntryCount, Entries: results });
    },
    refuse,
    denials: {
      denied: { code: 'AccessDeniedException', status: 400 },
      unknown: { code: 'UnrecognizedClientException', status: 400 },
    },
  };

  /** One entry's failure is none of the others'. An event for a bus that there is not is taken, and lost. */
  function put(one: Entry): object {
    const { success, data } = complete.safeParse(one);
    if (!success) return { ErrorCode: 'InvalidArgument', ErrorMessage: 'A parameter is missing.' };
    const detail = readDetail(data.Detail);
    if (!detail) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    if (data.Source.startsWith('aws.')) {
      return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
    }
    if (buses.includes(one.EventBusName)) {
      const { EventBusName: bus, Resources: resources } = one;
      events.push({ bus, source: data.Source, 'detail-type': data.DetailType, resources, detail });
    }
    return { EventId: randomUUID() };
  }

  const server = await serve(part, surroundings);
  service = { url: server.url, events, stop: () => server.stop() };
  return service;
}

/** As AWS documents it: the texts' bytes, without the rest of the event. */
function sizeOf({ Source = '', DetailType = '', Detail = '', Resources }: Entry): number {
  return [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function readDetail(text: string): object | undefined {
  try {
    return json.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
