// Imports the ACME account of another tool, so that the CA sees the same customer as before.
import type { KeyObject } from 'node:crypto';
import type { Inventory } from '../certificate/spec.ts';
import type { AccountStore, AcmeAccount } from '../ports/accounts.ts';
import type { Log } from '../ports/log.ts';
import type { ImportRequest } from '../requests/import.ts';
import { readAccountMaterial } from './material.ts';

/** What importing an account stands on. */
export interface AccountImportPorts {
  readonly accounts: AccountStore;
  /** Text of the AWS secret, or the Secret in a cluster as kubectl prints it. */
  readonly readMaterial: (signal: AbortSignal) => Promise<string>;
  readonly log: Log;
}

/** `unchanged`: it is the account already. */
export type AccountImportAnswer =
  | {
      readonly issuer: string;
      readonly outcome: 'imported' | 'unchanged';
      readonly directory: string;
      /** Absent: the CA is asked for it by the key at the next order. */
      readonly url?: string | undefined;
    }
  | {
      readonly issuer: string;
      readonly outcome: 'refused';
      readonly reason: 'Unknown' | 'Unreadable' | 'UnusableKey' | 'Exists';
      readonly message: string;
    };

/** Keeps the account under the issuer's directory URL. The CA is not asked. May be called twice. @throws StoreError. */
export async function importAccount(
  { issuer, replace }: Omit<NonNullable<ImportRequest['account']>, 'secret' | 'from'>,
  { accounts, readMaterial, log }: AccountImportPorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<AccountImportAnswer> {
  const refuse = (reason: 'Unknown' | 'Unreadable' | 'UnusableKey' | 'Exists', message: string) => {
    return { issuer, outcome: 'refused', reason, message } as const;
  };
  const directory = inventory.issuers[issuer]?.directory;
  if (directory === undefined) return refuse('Unknown', `the inventory has no issuer "${issuer}"`);
  const material = readAccountMaterial(await readMaterial(signal));
  if ('problem' in material) return refuse('Unreadable', material.problem);
  const weakness = findWeakness(material.key);
  if (weakness !== undefined) return refuse('UnusableKey', weakness);
  const account: AcmeAccount = {
    key: material.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    url: isOfCa(material.url, directory) ? material.url : undefined,
    contact: [],
  };

  const known = await accounts.read(directory, signal);
  const kept = known ?? (await accounts.create(directory, account, signal));
  const url = kept.url ?? account.url;
  if (known?.key === account.key) return { issuer, outcome: 'unchanged', directory, url };
  if (kept.key !== account.key) {
    if (!replace) {
      const message = `there is an account for ${directory} already${kept.url ? ` (${kept.url})` : ''}: say "replace": true to put this one in its place; the AWS secret keeps the old one as its previous version`;
      return refuse('Exists', message);
    }
    await accounts.update(directory, account, signal);
  }
  log.info('account imported', { issuer, directory, account: account.url });
  return { issuer, outcome: 'imported', directory, url: account.url };
}

/** Keys that CAs take for accounts and that requests can be signed with. */
function findWeakness(key: KeyObject): string | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (namedCurve === 'prime256v1' || namedCurve === 'secp384r1') return undefined;
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048) return undefined;
  const kind = namedCurve ?? (modulusLength ? `RSA with ${modulusLength} bits` : key.asymmetricKeyType);
  return `the account key is ${kind}; CAs take P-256, P-384 and RSA from 2048 bits on`;
}

/** An account of Let's Encrypt's first protocol has a URL that is gone; the key still names the account. */
function isOfCa(url: string | undefined, directory: string): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).host === new URL(directory).host;
}
