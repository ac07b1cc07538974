// The secrets that requests are signed with: how an AWS secret holds them, and for how long they are remembered.
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';

/** Secrets are read again after this long: so long may a new one be refused and an old one still be taken. */
export const secretsLifetimeMs = 60_000;

/** Gives the secrets that are valid now. */
export type ReadSecrets = (signal: AbortSignal) => Promise<readonly string[]>;

/** The AWS secret holds one secret, or several with white space between them: to rotate, put the new one beside the old
 *  one, change the sender, then take the old one away. (AWSPREVIOUS is not asked: there a secret that leaked would stay
 *  valid until the next rotation.) A failed read is not remembered.
 *  @throws Error where the text is something else. */
export function rememberSecrets(
  readText: (signal: AbortSignal) => Promise<string>,
  clock: Clock,
): ReadSecrets {
  const read = async (signal: AbortSignal) => {
    const untilMs = clock.now().getTime() + secretsLifetimeMs;
    return { secrets: parseSecrets(await readText(signal)), untilMs };
  };
  const remembered = once(read, { isFresh: ({ untilMs }) => clock.now().getTime() < untilMs });
  return async (signal) => (await remembered(signal)).secrets;
}

/** Standard Webhooks: the base64 of 24 to 64 random bytes, with `whsec_` before it or, as Secrets Manager's own generator
 *  makes it of letters and digits, without. */
function parseSecrets(text: string): readonly string[] {
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
