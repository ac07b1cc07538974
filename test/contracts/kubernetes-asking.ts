// Plain requests to an API server as kubectl makes them, and their answers as they come.
import { Agent, request } from 'undici';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import type { Harness } from './kubernetes-harness.ts';

interface RawCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** `body`: data where it is JSON, else its text. */
export interface RawAnswer {
  readonly status: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is read of it is held by each test.
  readonly body: any;
}

/** One request in the name of a user. */
export async function ask(
  { subject }: Harness,
  path: string,
  { method = 'GET', headers = {}, body }: RawCall = {},
  user: 'admin' | 'certrelay' = 'admin',
): Promise<RawAnswer> {
  const { server, dispatcher, headers: own } = connect(subject, user);
  const all = { ...own, ...headers };
  const answer = await request(`${server}${path}`, { method, dispatcher, headers: all, body: body ?? null });
  const text = await answer.body.text();
  await dispatcher.destroy();
  const type = String(answer.headers['content-type']);
  return { status: answer.statusCode, type, body: type.includes('json') ? JSON.parse(text) : text };
}

function connect(subject: Harness['subject'], user: 'admin' | 'certrelay') {
  const { server, ca, token } = readKubeconfig('admin', subject.kubeconfig(user));
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    'user-agent': 'kubectl/v1.35.4 (linux/amd64) kubernetes/1234567',
  };
  return { server, headers, dispatcher: new Agent({ connect: { ca } }) };
}

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly metadata: { readonly resourceVersion: string; readonly annotations?: object };
  };
}

/** The events of a watch, up to the one for which `react` says that it is the last. */
export async function watch(
  { subject }: Harness,
  path: string,
  react: (type: string) => Promise<boolean>,
): Promise<readonly WatchEvent[]> {
  const { server, dispatcher, headers } = connect(subject, 'admin');
  const { body } = await request(`${server}${path}`, { dispatcher, headers });
  const events: WatchEvent[] = [];
  let text = '';
  let isOver = false;
  for await (const chunk of body) {
    const lines = (text + String(chunk)).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const event: WatchEvent = JSON.parse(line);
      events.push(event);
      isOver ||= await react(event.type);
    }
    if (isOver) break;
  }
  await dispatcher.destroy();
  return events;
}

/** A field of protobuf with a length. */
export function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

/** An object as Kubernetes wraps it (runtime.Unknown). */
export function protobuf(apiVersion: string, kind: string, fields: readonly Buffer[]): Buffer {
  const typeMeta = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  const raw = Buffer.concat(fields);
  return Buffer.concat([Buffer.from('k8s\0', 'latin1'), field(1, typeMeta), field(2, raw)]);
}
