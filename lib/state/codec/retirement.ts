// Writes and reads the state of letting a certificate go on tags. Roles may delete an AWS secret only if a
// tag begins as these do (infra/template/roles.yml).
import type { GoneRecord, RetireDecision } from '../retirement.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** `retire/<instant>`, `retire/<instant>/revoke`, or `restored/<instant>/<version>`; without the last part if
 *  there was no version. */
export const retireDecision: FieldCodec<RetireDecision> = {
  read(text) {
    const [kind, instant = '', last, ...rest] = text.split('/');
    const at = decodeInstant(instant);
    if (!at || rest.length > 0) return undefined;
    if (kind === 'retire' && (last === undefined || last === 'revoke'))
      return { kind, at, revoke: last !== undefined };
    if (kind !== 'restored' || last === '') return undefined;
    return last === undefined ? { kind, at } : { kind, at, version: last };
  },
  write(decision) {
    const last = decision.kind === 'retire' ? decision.revoke && 'revoke' : decision.version;
    return [decision.kind, decision.at.toISOString(), ...(last ? [last] : [])].join('/');
  },
};

/** `counting/<since>/<days>/<counted at>/<row>`, or `retire/<at>/<since>`. */
export const goneRecord: FieldCodec<GoneRecord> = {
  read(text) {
    const [, since, days, countedAt, row] = /^counting\/([^/]+)\/(\d)\/([^/]+)\/(\d)$/.exec(text) ?? [];
    const [began, counted] = [decodeInstant(since ?? ''), decodeInstant(countedAt ?? '')];
    if (began && counted)
      return { kind: 'counting', since: began, days: Number(days), countedAt: counted, row: Number(row) };
    const [, at = '', first = ''] = /^retire\/([^/]+)\/([^/]+)$/.exec(text) ?? [];
    const [decided, gone] = [decodeInstant(at), decodeInstant(first)];
    return decided && gone && { kind: 'retire', at: decided, since: gone };
  },
  write(record) {
    const since = record.since.toISOString();
    return record.kind === 'retire'
      ? `retire/${record.at.toISOString()}/${since}`
      : `counting/${since}/${record.days}/${record.countedAt.toISOString()}/${record.row}`;
  },
};
