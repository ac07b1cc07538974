// Renders and signs notices as Standard Webhooks (github.com/standard-webhooks, spec/standard-webhooks.md).
import { createHmac } from 'node:crypto';
import type { Notice } from '../../policy/notices/notice.ts';
import { titleOf } from '../../policy/notices/text.ts';
import type { PostRequest } from './http.ts';

/** Most bytes of a body: what the specification recommends. */
const mostBytes = 20_000;

/** Types of events, by our names. */
const types: Readonly<Record<Notice['event'], string>> = {
  Degraded: 'health.degraded',
  Recovered: 'health.recovered',
  Issued: 'certificate.issued',
  Digest: 'digest',
  Test: 'test',
};

/** The post: JSON with a signature of its id, its time and its body. `key`: `whsec_` and 24 to 64 bytes in
 *  base64; or the words of what is wrong with it. */
export function renderWebhook(
  notice: Notice,
  { url, key, now }: { readonly url: string; readonly key: string; readonly now: Date },
): PostRequest | { readonly problem: string } {
  const secret = readKey(key);
  if (!secret) return { problem: 'must be whsec_ followed by 24 to 64 bytes in base64' };
  const body = writeBody(notice);
  const seconds = String(Math.floor(now.getTime() / 1_000));
  const signature = createHmac('sha256', secret).update(`${notice.id}.${seconds}.${body}`).digest('base64');
  const headers = {
    'webhook-id': notice.id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${signature}`,
  };
  return { url, headers, body };
}

/** The bytes of a signing key; `undefined` if it is not one. */
function readKey(text: string): Buffer | undefined {
  const [, encoded = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

/** JSON of the whole notice. Of a long one the last entries are left out and counted. */
function writeBody(notice: Notice): string {
  const { id: _, ...all } = notice;
  // Subjects that are only counted for people are there for PagerDuty alone.
  const { dashboard = null } = all;
  const data = { ...all, ...('others' in all ? { others: undefined } : {}), dashboard };
  const write = (part: object) =>
    JSON.stringify({
      type: types[notice.event],
      timestamp: notice.at.toISOString(),
      data: { schema: 1, text: titleOf(notice), ...part },
    });
  const whole = write(data);
  if (Buffer.byteLength(whole) <= mostBytes) return whole;
  const shorter = shorten(notice);
  return shorter ? writeBody(shorter) : whole;
}

/** The notice with a tenth less of its list, at least one; `undefined` if nothing is left to leave out. */
function shorten(notice: Notice): Notice | undefined {
  const keep = (length: number) => Math.min(length - 1, Math.floor(length * 0.9));
  switch (notice.event) {
    case 'Degraded':
    case 'Recovered': {
      const kept = keep(notice.entries.length);
      const left = notice.entries.length - kept;
      return kept < 1
        ? undefined
        : { ...notice, entries: notice.entries.slice(0, kept), more: notice.more + left };
    }
    case 'Issued': {
      const kept = keep(notice.issued.length);
      const left = notice.issued.length - kept;
      return kept < 1
        ? undefined
        : { ...notice, issued: notice.issued.slice(0, kept), more: notice.more + left };
    }
    case 'Digest': {
      const kept = keep(notice.rows.length);
      const left = notice.rows.length - kept;
      return kept < 0 ? undefined : { ...notice, rows: notice.rows.slice(0, kept), more: notice.more + left };
    }
    case 'Test':
      return undefined;
  }
}
