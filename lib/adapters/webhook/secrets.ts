// Reads the secrets that requests are signed with from an AWS secret, and remembers them for a minute.
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';

/** How long secrets are remembered, in milliseconds. For so long a new secret may be refused, and a removed
 *  one be accepted. */
export const secretsLifetimeMs = 60_000;

/** How long a failure is remembered, in milliseconds: requests of strangers must not each cause a read, and
 *  one that is mended is soon known. */
export const failureLifetimeMs = 5_000;

/** The secrets that are valid now. */
export type ReadSecrets = (signal: AbortSignal) => Promise<readonly string[]>;

/** Reads the secrets in the text of an AWS secret: one, or several separated by white space. To rotate, an
 *  operator adds the new secret, changes the sender, and removes the old one. AWSPREVIOUS is not read,
 *  because a leaked secret would stay valid there until the next rotation.
 *  @throws Error if the text is something else. */
export function rememberSecrets(
  readText: (signal: AbortSignal) => Promise<string>,
  clock: Clock,
): ReadSecrets {
  const read = async (signal: AbortSignal): Promise<Read> => {
    const startedMs = clock.now().getTime();
    try {
      const secrets = parseSecrets(await readText(signal));
      return { secrets, untilMs: startedMs + secretsLifetimeMs };
    } catch (failure) {
      // The next caller has time of its own.
      signal.throwIfAborted();
      return { failure, untilMs: startedMs + failureLifetimeMs };
    }
  };
  const remembered = once(read, { isFresh: ({ untilMs }) => clock.now().getTime() < untilMs });
  return async (signal) => {
    const found = await remembered(signal);
    if ('failure' in found) throw found.failure;
    return found.secrets;
  };
}

type Read = { readonly untilMs: number } & (
  | { readonly secrets: readonly string[] }
  | { readonly failure: unknown }
);

/** Secrets as Standard Webhooks specifies them: `whsec_` and the base64 of 24 to 64 random bytes. The prefix
 *  may be missing, because the generator of Secrets Manager makes only letters and digits.
 *  @throws Error if the text is something else. */
export function parseSecrets(text: string): readonly string[] {
  const secrets = text.split(/\s+/).filter((part) => part !== '');
  if (secrets.length > 0 && secrets.every(isSecret)) return secrets;
  throw new Error(
    'the AWS secret of the webhook must hold one or more secrets, each the base64 of 24 to 64 random bytes, with or without whsec_ before it',
  );
}

function isSecret(text: string): boolean {
  const base64 = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '';
  const bytes = Buffer.from(base64, 'base64').byteLength;
  return base64.length % 4 === 0 && bytes >= 24 && bytes <= 64;
}
