// Route 53's REST XML wire format, version 2013-04-01: which call a request is, and how answers and errors
// look.
import type { Answer, Request } from '../http-server.ts';
import { type Change, readChange } from './change-batch.ts';
import { child, readXml, tag, textOf, xmlDocument } from './xml.ts';

/** The calls that are played. */
export type ApiCall =
  | { readonly action: 'ListHostedZones' | 'ListHostedZonesByName' }
  | {
      readonly action: 'GetHostedZone' | 'ListResourceRecordSets' | 'ChangeResourceRecordSets';
      readonly zone: string;
    }
  | { readonly action: 'GetChange'; readonly change: string };

export function recogniseCall({ method, url }: Request): ApiCall | undefined {
  const [version, kind, id, rest, ...more] = url.pathname.split('/').filter((part) => part !== '');
  if (version !== '2013-04-01' || more.length > 0) return undefined;
  if (method === 'GET' && id === undefined) {
    if (kind === 'hostedzone') return { action: 'ListHostedZones' };
    if (kind === 'hostedzonesbyname') return { action: 'ListHostedZonesByName' };
  }
  if (id === undefined) return undefined;
  if (kind === 'change' && method === 'GET' && !rest) return { action: 'GetChange', change: id };
  if (kind !== 'hostedzone') return undefined;
  if (method === 'GET' && !rest) return { action: 'GetHostedZone', zone: id };
  if (method === 'GET' && rest === 'rrset') return { action: 'ListResourceRecordSets', zone: id };
  if (method === 'POST' && rest === 'rrset') return { action: 'ChangeResourceRecordSets', zone: id };
  return undefined;
}

/** The ARN that IAM judges a call by. */
export function resourceOf(call: ApiCall): string {
  if ('zone' in call) return `arn:aws:route53:::hostedzone/${call.zone}`;
  if ('change' in call) return `arn:aws:route53:::change/${call.change}`;
  return '*';
}

/** The batch of a ChangeResourceRecordSets body, or why it is not one. */
export function readBatch(
  body: Buffer,
): { readonly comment: string | undefined; readonly changes: readonly Change[] } | string {
  let root: ReturnType<typeof readXml>;
  try {
    root = readXml(body.toString());
  } catch {
    return 'Invalid XML ; the request body is not well-formed.';
  }
  const batch = child(root, 'ChangeBatch');
  if (root.name !== 'ChangeResourceRecordSetsRequest' || !batch)
    return 'Invalid XML ; ChangeBatch is missing.';
  const changes = (child(batch, 'Changes')?.children ?? []).map((change) => {
    const set = child(change, 'ResourceRecordSet');
    return readChange({
      action: textOf(change, 'Action'),
      name: textOf(set, 'Name'),
      type: textOf(set, 'Type'),
      ttl: textOf(set, 'TTL'),
      values: (child(set, 'ResourceRecords')?.children ?? []).map((record) => textOf(record, 'Value') ?? ''),
      setIdentifier: textOf(set, 'SetIdentifier'),
      multiValueAnswer: textOf(set, 'MultiValueAnswer'),
    });
  });
  const problem = changes.find((change) => typeof change === 'string');
  if (problem !== undefined) return problem;
  if (changes.length === 0) return 'Invalid XML ; Changes needs at least one Change.';
  return {
    comment: textOf(batch, 'Comment'),
    changes: changes.filter((change) => typeof change !== 'string'),
  };
}

export function answerXml(root: string, content: readonly (string | undefined)[]): Answer {
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: xmlDocument(root, content) };
}

/** API Reference, "Common errors": the one form of every error. */
export function errorXml(status: number, code: string, message: string): Answer {
  const error = tag('Error', [
    tag('Type', status < 500 ? 'Sender' : 'Receiver'),
    tag('Code', code),
    tag('Message', message),
  ]);
  const body = xmlDocument('ErrorResponse', [
    error,
    tag('RequestId', '00000000-0000-4000-8000-000000000000'),
  ]);
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
