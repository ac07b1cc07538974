// Validates challenges by asking DNS: dns-01 (RFC 8555 §8.4) and dns-persist-01
// (draft-ietf-acme-dns-persist-01 and -02).
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './accounts.ts';
import type { Validate } from './authorizations.ts';
import { Problem, unauthorized } from './problem.ts';
import { LookupError, type ResolveTxt } from './resolver.ts';
import type { Settings } from './settings.ts';
import type { Urls } from './urls.ts';

/** By which records name this CA. */
export const issuerDomain = 'ca.sandbox.example';
export const persistentType = 'dns-persist-01';

/** Validation against DNS as the settings have it; types that DNS does not answer always fail. */
export function createValidation(resolveTxt: ResolveTxt, settings: Settings, urls: Urls): Validate {
  return async ({ name, token, account, wildcard }, { type }) => {
    if (settings.validationDelayMs > 0) await sleep(settings.validationDelayMs, undefined, { ref: false });
    if (type === persistentType) {
      const owner = `_validation-persist.${name}`;
      if (settings.failValidation.has(name)) throw unauthorized(`Incorrect TXT record found at ${owner}`);
      const accounts =
        settings.persistentDraft === 2 ? hashedUris(name, account, urls) : [urls.account(account.id)];
      checkPersistent(await lookUp(resolveTxt, owner), owner, accounts, wildcard);
      return;
    }
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

/** The account for this name and for every name, as the newer draft has it: a hash over the length of the
 *  name, the name, the thumbprint and the URL. */
function hashedUris(name: string, { id, publicKey }: Account, urls: Urls): readonly string[] {
  return [name, '*'].map((domain) => {
    const digest = createHash('sha256').update(Uint8Array.of(domain.length)).update(domain);
    digest.update(publicKey.thumbprint).update(urls.account(id));
    return `${urls.accountHashPrefix}sha-256/${digest.digest('base64url')}`;
  });
}

/** One of the records must name this CA and the account, and for a wildcard have the policy; accounturi is
 *  compared byte for byte (§4.1). A record that cannot be read is passed over, and so is an unknown
 *  parameter. */
function checkPersistent(
  records: readonly string[],
  owner: string,
  accounts: readonly string[],
  wildcard: boolean,
): void {
  if (records.length === 0) throw unauthorized(`No TXT record found at ${owner}`);
  const isEnough = records.some((record) => {
    const [issuer = '', ...parameters] = record.split(';').map((part) => part.trim());
    if (issuer.toLowerCase() !== issuerDomain) return false;
    const pairs = parameters.map((text) => /^([^=\s]+)\s*=\s*([\x21-\x3a\x3c-\x7e]*)$/.exec(text));
    if (pairs.includes(null)) return false;
    const values = new Map(pairs.map((pair) => [pair?.[1]?.toLowerCase(), pair?.[2] ?? '']));
    if (values.size < pairs.length || !accounts.includes(values.get('accounturi') ?? '')) return false;
    if (wildcard && values.get('policy')?.toLowerCase() !== 'wildcard') return false;
    const until = values.get('persistuntil');
    return until === undefined || (/^\d+$/.test(until) && Number(until) * 1000 >= Date.now());
  });
  if (!isEnough) throw unauthorized(`No TXT record at ${owner} lets ${accounts[0]} have it`);
}

async function lookUp(resolveTxt: ResolveTxt, name: string): Promise<readonly string[]> {
  try {
    return await resolveTxt(name);
  } catch (error) {
    if (error instanceof LookupError) throw new Problem('dns', 400, error.message);
    throw new Problem('serverInternal', 500, `the lookup of ${name} failed: ${String(error)}`);
  }
}
