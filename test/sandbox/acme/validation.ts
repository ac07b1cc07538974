// Validates challenges: dns-01 for real, by asking DNS (RFC 8555 §8.4).
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Validate } from './authorizations.ts';
import { Problem, unauthorized } from './problem.ts';
import { LookupError, type ResolveTxt } from './resolver.ts';
import type { Settings } from './settings.ts';

/** Validation against DNS as the settings have it; other types than dns-01 always fail. */
export function createValidation(resolveTxt: ResolveTxt, settings: Settings): Validate {
  return async ({ name, token, account }, { type }) => {
    if (settings.validationDelayMs > 0) await sleep(settings.validationDelayMs, undefined, { ref: false });
    if (type !== 'dns-01')
      throw new Problem('connection', 400, `${name}: no answer to a challenge of type ${type}`);
    const owner = `_acme-challenge.${name}`;
    if (settings.failValidation.has(name)) {
      throw unauthorized(`During secondary validation: Incorrect TXT record found at ${owner}`);
    }
    const keyAuthorization = `${token}.${account.publicKey.thumbprint}`;
    const expected = createHash('sha256').update(keyAuthorization).digest('base64url');
    const [first, ...others] = await lookUp(resolveTxt, owner);
    if (first === undefined) throw unauthorized(`No TXT record found at ${owner}`);
    if (first === expected || others.includes(expected)) return;
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    throw unauthorized(`Incorrect TXT record "${first.slice(0, 100)}"${more} found at ${owner}`);
  };
}

async function lookUp(resolveTxt: ResolveTxt, name: string): Promise<readonly string[]> {
  try {
    return await resolveTxt(name);
  } catch (error) {
    if (error instanceof LookupError) throw new Problem('dns', 400, error.message);
    throw new Problem('serverInternal', 500, `the lookup of ${name} failed: ${String(error)}`);
  }
}
