// Slack, Teams, PagerDuty and a service of one's own, as strict as their documents: what they take, what they
// refuse, and with which answers. One HTTPS server has them all, each at a path of its own.
import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { mintServingCertificate } from '../tls.ts';
import { checkCard } from './cards.ts';
import { checkBlocks } from './slack-blocks.ts';

/** Names of the services, which are the actions of the journal and of faults. */
export type ReceiverName = 'slack' | 'teams' | 'pagerduty' | 'webhook';

export interface Receivers {
  /** What each has accepted, oldest first. */
  readonly accepted: Readonly<Record<ReceiverName, readonly Accepted[]>>;
  /** What a person copies from each service; the last part of each path is its secret. */
  readonly urls: Readonly<Record<ReceiverName, string>>;
  /** Texts that must not be seen anywhere else. */
  readonly secrets: readonly string[];
  readonly routingKey: string;
  /** Key of the webhook, `whsec_…`. */
  readonly signingKey: string;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  /** Incidents of PagerDuty that are open, by their key. */
  readonly incidents: ReadonlySet<string>;
  stop(): Promise<void>;
}

export interface Accepted {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Request['headers'];
}

const token = 'XpQ7vZk2LmN8rT4wYb6cSd1f';
const signature = 'sigAbCdEf0123456789';
const routingKey = 'R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY12';
const signingKey = `whsec_${Buffer.from('a key of exactly thirty-two byte').toString('base64')}`;

const paths: Readonly<Record<string, ReceiverName>> = {
  [`/services/T00000000/B00000000/${token}`]: 'slack',
  '/workflows/8d1f/triggers/manual/paths/invoke': 'teams',
  '/v2/enqueue': 'pagerduty',
  '/hooks/certificates': 'webhook',
};

export async function startReceivers(surroundings: Surroundings): Promise<Receivers> {
  const accepted: Record<ReceiverName, Accepted[]> = { slack: [], teams: [], pagerduty: [], webhook: [] };
  const incidents = new Set<string>();
  const part: Part = {
    service: 'notices',
    describe: ({ url }) => ({
      action: paths[url.pathname] ?? 'unknown',
      resource: url.pathname,
      principal: 'unknown',
    }),
    handle(request) {
      const name = paths[request.url.pathname];
      if (request.method !== 'POST' || name === undefined) return { status: 404, body: 'no_service' };
      const refusal = services[name](request);
      if (refusal) return refusal;
      const body = JSON.parse(request.body.toString()) as Record<string, unknown>;
      accepted[name].push({ body, headers: request.headers });
      if (name !== 'pagerduty') return answers[name];
      const key = String(body.dedup_key);
      if (body.event_action === 'trigger') incidents.add(key);
      else incidents.delete(key);
      return {
        status: 202,
        body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: key }),
      };
    },
    // A service that says again what it was asked, its secrets too.
    refuse: (code, status, message, { url, body }) => ({
      status,
      body: code === 'echo' ? `${url.href} ${body.toString()}` : message,
    }),
  };
  const tls = await mintServingCertificate('receivers');
  const server = await serve(part, surroundings, tls);
  const at = (name: ReceiverName) => {
    const [path = ''] = Object.entries(paths).find(([, one]) => one === name) ?? [];
    return `https://localhost:${server.port}${path}`;
  };
  return {
    accepted,
    urls: {
      slack: at('slack'),
      teams: `${at('teams')}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=${signature}`,
      pagerduty: at('pagerduty'),
      webhook: at('webhook'),
    },
    secrets: [token, signature, routingKey, signingKey],
    routingKey,
    signingKey,
    ca: tls.ca,
    incidents,
    stop: () => server.stop(),
  };
}

/** A workflow answers that it has taken the card, whatever becomes of it. */
const answers = {
  slack: { status: 200, body: 'ok' },
  teams: { status: 202, body: '' },
  webhook: { status: 204 },
} as const;

/** What each refuses; `undefined`: nothing. */
const services: Readonly<Record<ReceiverName, (request: Request) => Answer | undefined>> = {
  slack({ body }) {
    const problem = checkBlocks(body.toString());
    return problem === undefined ? undefined : { status: 400, body: problem };
  },

  teams({ url, body }) {
    if (url.searchParams.get('sig') !== signature)
      return { status: 401, body: 'DirectApiAuthorizationRequired' };
    if (body.length > 28_672) return { status: 413, body: 'Request Entity Too Large' };
    const problem = checkCard(body.toString());
    return problem === undefined ? undefined : { status: 400, body: problem };
  },

  pagerduty({ body }) {
    if (body.length > 524_288) return { status: 413, body: '' };
    const { error } = pagerDutyEvent.safeParse(parse(body.toString()));
    if (!error) return undefined;
    const errors = error.issues.map(({ path, message }) => `'${path.join('.')}' ${message}`);
    return {
      status: 400,
      body: JSON.stringify({ status: 'invalid event', message: 'Event object is invalid', errors }),
    };
  },

  webhook({ headers, body }) {
    const id = String(headers['webhook-id']);
    const seconds = Number(headers['webhook-timestamp']);
    const secret = Buffer.from(signingKey.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', secret)
      .update(`${id}.${seconds}.${body.toString()}`)
      .digest('base64');
    const given = String(headers['webhook-signature']).split(' ');
    if (!given.includes(`v1,${expected}`)) return { status: 401, body: 'wrong signature' };
    if (body.length >= 20_480) return { status: 413, body: 'too large' };
    const { error } = webhookEvent.safeParse(parse(body.toString()));
    return error ? { status: 400, body: z.prettifyError(error) } : undefined;
  },
};

const pagerDutyEvent = z.discriminatedUnion('event_action', [
  z.object({
    routing_key: z.literal(routingKey),
    event_action: z.literal('trigger'),
    dedup_key: z.string().min(1).max(255),
    client: z.string().optional(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1_024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime().optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
  z.object({
    routing_key: z.literal(routingKey),
    event_action: z.enum(['acknowledge', 'resolve']),
    dedup_key: z.string().min(1).max(255),
    client: z.string().optional(),
  }),
]);

const webhookEvent = z.object({
  type: z.string().regex(/^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$/),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
