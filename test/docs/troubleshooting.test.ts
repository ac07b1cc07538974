// docs/troubleshooting.md has a row for each reason and code of the closed lists, and no other. The compiler
// keeps the records whole: each list is a union, and a new member of it is missing here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AccountImportAnswer } from '../../lib/import/account.ts';
import type { ImportProblem } from '../../lib/import/verification.ts';
import type { IssueErrorCode } from '../../lib/issue/errors.ts';
import type { OrderReason, WaitReason } from '../../lib/policy/issuance/reasons.ts';
import type { CertificateManagerErrorCode } from '../../lib/ports/acm.ts';
import type { AcmeErrorCode } from '../../lib/ports/acme.ts';
import type { AgentErrorCode } from '../../lib/ports/agents.ts';
import type { ClusterErrorCode } from '../../lib/ports/cluster.ts';
import type { DnsErrorCode } from '../../lib/ports/dns.ts';
import type { ConfigErrorCode } from '../../lib/ports/errors.ts';
import type { EventErrorCode } from '../../lib/ports/events.ts';
import type { QueueErrorCode } from '../../lib/ports/queues.ts';
import type { StoreErrorCode } from '../../lib/ports/store.ts';
import type { RequestErrorCode } from '../../lib/requests/errors.ts';
import type { RetireErrorCode } from '../../lib/retire/invocation.ts';
import type { RevokeAnswer } from '../../lib/revoke/revoke.ts';
import { top } from './markdown.ts';

type RefusalOf<Answer> =
  Extract<Answer, { outcome: 'refused' }> extends { reason: infer Reason } ? Reason : never;

/** Every member of a union of texts. */
const members = <Word extends string>(all: Readonly<Record<Word, true>>) => Object.keys(all);

const reasons = members<OrderReason | WaitReason | 'Current'>({
  Current: true,
  Missing: true,
  Unparsable: true,
  KeyMismatch: true,
  Expired: true,
  NamesChanged: true,
  IssuerChanged: true,
  ProfileChanged: true,
  KeyChanged: true,
  Restored: true,
  Retiring: true,
  RenewalDue: true,
  Forced: true,
  Revoked: true,
  Resume: true,
  InFlight: true,
  NotAllowed: true,
  NameTaken: true,
  BackingOff: true,
  RateLimited: true,
  PreflightFailed: true,
  Paused: true,
});

const codes = members<
  | ConfigErrorCode
  | RequestErrorCode
  | RetireErrorCode
  | IssueErrorCode
  | AcmeErrorCode
  | DnsErrorCode
  | StoreErrorCode
  | CertificateManagerErrorCode
  | EventErrorCode
  | QueueErrorCode
  | ClusterErrorCode
  | ImportProblem
  | RefusalOf<AccountImportAnswer>
  | RefusalOf<RevokeAnswer>
>({
  Event: true,
  Settings: true,
  Inventory: true,
  Unknown: true,
  NotStored: true,
  NoPrevious: true,
  Unreadable: true,
  Unusable: true,
  Deadline: true,
  OrderOpen: true,
  NotAcknowledged: true,
  NotAllowed: true,
  NameTaken: true,
  PreflightFailed: true,
  InInventory: true,
  NotLetGo: true,
  BadCertificate: true,
  DueAgain: true,
  Unfinished: true,
  Rehearsal: true,
  Problem: true,
  Invalid: true,
  Unreachable: true,
  Malformed: true,
  Unsupported: true,
  NoZone: true,
  NotVisible: true,
  Lookup: true,
  Conflict: true,
  Denied: true,
  Throttled: true,
  TooLarge: true,
  LimitExceeded: true,
  NotFound: true,
  NotImported: true,
  KeyTypeConflict: true,
  Failed: true,
  EventFailed: true,
  QueueFailed: true,
  Unavailable: true,
  SignInFailed: true,
  Forbidden: true,
  Foreign: true,
  TypeConflict: true,
  Rejected: true,
  RolloutFailed: true,
  Expired: true,
  Replayed: true,
  Unparsable: true,
  KeyMismatch: true,
  NamesChanged: true,
  NotYetValid: true,
  SelfSigned: true,
  WeakDhParameters: true,
  UnusableKey: true,
  Exists: true,
  InUse: true,
  NotReplaced: true,
  SameKey: true,
  UnknownIssuer: true,
  NotForTests: true,
});

/** Codes that are texts of their own, in no list: of a failure that nobody foresaw, of an order that waits at
 *  the CA, and of `import` with `from`. */
const others = ['Unexpected', 'Processing', 'Missing', 'StillManaged'];

const agentCodes = members<AgentErrorCode>({
  Unsigned: true,
  OtherVersion: true,
  BadSignature: true,
  OtherTargets: true,
  Unseen: true,
});

/** Words in backticks in the first cells of a section's tables. */
function rowsOf(path: string, heading: string): readonly string[] {
  const [, section = ''] = readFileSync(join(top, path), 'utf8').split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return [...new Set(rows.flatMap((row) => (row.split('|')[1] ?? '').match(/(?<=`)\w+(?=`)/g) ?? []))];
}

const page = 'docs/troubleshooting.md';

it('has a row for each reason of a plan, and no other', () => {
  const named = rowsOf(page, 'Why is it not ordered? Why is it ordered?');
  expect(named.toSorted()).toEqual(reasons.toSorted());
});

it('has a row for each code of a failure or a refusal, or for the reason that it is, and no other', () => {
  const named = rowsOf(page, 'Codes');
  const wanted = [...codes, ...others].filter((code) => named.includes(code) || !reasons.includes(code));
  expect(named.toSorted()).toEqual(wanted.toSorted());
});

it('the page of agents has a row for each of their codes', () => {
  expect(rowsOf('docs/agent.md', 'Codes')).toEqual(expect.arrayContaining(agentCodes));
});
