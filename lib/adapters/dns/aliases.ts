// Follows CNAMEs to the name where the records really are.

import { Memory } from '../../async/memo.ts';
import type { AliasChain } from '../../policy/dns/preflight.ts';
import { DnsError } from '../../ports/dns.ts';
import type { QuestionsUntil, ServerAddress } from './questions.ts';

/** As many as public resolvers and CAs follow. */
const mostAliases = 8;

/** Chains of aliases, each looked up once. */
export class Aliases {
  readonly #questions: QuestionsUntil;
  readonly #resolver: ServerAddress;
  readonly #chains = new Memory<AliasChain>();

  constructor(questions: QuestionsUntil, resolver: ServerAddress) {
    this.#questions = questions;
    this.#resolver = resolver;
  }

  /** The chain that begins at a name. @throws DnsError `Lookup` where DNS does not answer. */
  follow(name: string, signal: AbortSignal): Promise<AliasChain> {
    return this.#chains.recall(name, () => this.#follow(name, signal));
  }

  async #follow(name: string, signal: AbortSignal): Promise<AliasChain> {
    const names = [name];
    for (let at = name; ; ) {
      const target = await this.#questions(signal).alias(at, this.#resolver);
      if (target === undefined) return { kind: 'ends', names };
      const kind = names.includes(target) ? 'circle' : names.length > mostAliases ? 'too long' : undefined;
      names.push(target);
      if (kind) return { kind, names };
      at = target;
    }
  }
}

/** The last name of a chain. @throws DnsError `NoZone` where it has none. */
export function endOf({ kind, names }: AliasChain): string {
  const [first = ''] = names;
  if (kind === 'ends') return names.at(-1) ?? first;
  const fault = kind === 'circle' ? 'lead in a circle' : `are more than ${mostAliases}`;
  throw new DnsError(
    'NoZone',
    `the CNAMEs at ${first} ${fault} (${names.join(' → ')}); make it a CNAME for one name in a hosted zone of yours, or remove it`,
  );
}
