// State as its tags spell it, for tests that say what is written there.
import { decodeState, encodeState } from '../../lib/state/codec/tags.ts';
import { encodeText, fromParts } from '../../lib/state/codec/text.ts';
import type { CertificateState, StateChange } from '../../lib/state/state.ts';

/** The state that tags with these texts tell, by key without `certrelay:`; what they do not tell is not
 *  there. */
export function stateOfTags(texts: Readonly<Record<string, string>>): CertificateState {
  const tags = Object.entries(texts).map(([key, text]) => [`certrelay:${key}`, encodeText(text)] as const);
  return withoutAbsent(decodeState(new Map(tags)));
}

/** The texts that a change writes to tags, by key without `certrelay:`; empty for what it clears. */
export function tagsOfState(change: StateChange = {}): Readonly<Record<string, string>> {
  const tags = new Map(Object.entries(encodeState(change)));
  const keys = [...tags.keys()].map((key) => key.replace('certrelay:', ''));
  return Object.fromEntries(keys.map((key) => [key, fromParts(key, tags) ?? '']));
}

/** The change as tags keep it. */
export function throughTags(change: StateChange): StateChange {
  const kept = withoutAbsent(decodeState(new Map(Object.entries(encodeState(change)))));
  const cleared = Object.entries(change).filter(([, value]) => value === null);
  return { ...kept, ...Object.fromEntries(cleared) };
}

function withoutAbsent(state: CertificateState): CertificateState {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
}
