// Somebody's signed request to the webhook (Standard Webhooks).
import { createHmac, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** Sends `POST /domains`; without a secret it is not signed. Gives status and JSON body. */
export async function postDomains(
  httpApi: string,
  body: object,
  secret?: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const text = JSON.stringify(body);
  const id = `msg_${randomUUID()}`;
  const now = new Date();
  const signed = secret && {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, now, text),
  };
  return post(httpApi, text, signed || {});
}

/** The same, signed as GitHub signs its webhooks. */
export async function postAsGithub(
  httpApi: string,
  body: object,
  secret: string,
): ReturnType<typeof postDomains> {
  const text = JSON.stringify(body);
  const digest = createHmac('sha256', secret).update(text).digest('hex');
  const headers = { 'x-hub-signature-256': `sha256=${digest}`, 'x-github-delivery': randomUUID() };
  return post(httpApi, text, headers);
}

/** Sends `GET` or `DELETE /domains/{name}` without a body, signed. */
export async function callDomain(
  httpApi: string,
  method: 'GET' | 'DELETE',
  name: string,
  secret: string,
): ReturnType<typeof postDomains> {
  const [id, sentAt] = [`msg_${randomUUID()}`, new Date()];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, sentAt, JSON.stringify({ method, name })),
  };
  const response = await fetch(`${httpApi}/domains/${name}`, { method, headers });
  return { status: response.status, body: await response.json() };
}

async function post(
  httpApi: string,
  text: string,
  signed: Readonly<Record<string, string>>,
): ReturnType<typeof postDomains> {
  const headers = { 'content-type': 'application/json', ...signed };
  const response = await fetch(`${httpApi}/domains`, { method: 'POST', headers, body: text });
  return { status: response.status, body: await response.json() };
}
