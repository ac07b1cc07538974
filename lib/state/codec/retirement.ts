// Writes and reads the state of letting a certificate go on tags. Roles may delete an AWS secret only if a
// tag begins as these do (infra/roles.yml).
import type { RetireDecision } from '../retirement.ts';
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
