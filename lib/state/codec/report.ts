// Writes and reads an agent's report about one certificate. Agents of other versions use the same spelling.
import type { AgentReport } from '../delivery.ts';
import { delivery, freeze, seenServed } from './delivery.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** `<deployed>@<served>@<notServedSince>@<probedAt>@!<resumedAt>!<freeze>`. Absent fields are empty; the last
 *  part is left out. Unreadable text is an empty report: the agent writes it again. */
export const report: FieldCodec<AgentReport> = {
  read(text) {
    const [deployed = '', served = '', since = '', probed = '', ...rest] = text.split('@');
    const [, resumedAt = '', frozen = ''] = /^(?:!([^!]*)!)?(.*)$/s.exec(rest.join('@')) ?? [];
    return withoutAbsent({
      deployed: delivery.read(deployed),
      served: seenServed.read(served),
      notServedSince: decodeInstant(since),
      probedAt: decodeInstant(probed),
      freeze: freeze.read(frozen),
      resumedAt: decodeInstant(resumedAt),
    });
  },
  write({ deployed, served, notServedSince, probedAt, freeze: frozen, resumedAt }) {
    const parts = [
      deployed && delivery.write(deployed),
      served && seenServed.write(served),
      notServedSince?.toISOString(),
      probedAt?.toISOString(),
    ];
    const held = frozen ? freeze.write(frozen) : '';
    const last = resumedAt ? `!${resumedAt.toISOString()}!${held}` : held;
    return [...parts.map((part) => part ?? ''), ...(last ? [last] : [])].join('@');
  },
};

/** The fields that have a value. */
function withoutAbsent(
  found: { readonly [K in keyof AgentReport]: AgentReport[K] | undefined },
): AgentReport {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
