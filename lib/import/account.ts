// Imports the ACME account of another tool, so that orders continue under the same account.
import type { KeyObject } from 'node:crypto';
import type { Inventory } from '../certificate/spec.ts';
import type { AccountStore, AcmeAccount } from '../ports/accounts.ts';
import { wordsOf } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { ImportRequest } from '../requests/import.ts';
import { unknownPart } from '../requests/unknown.ts';
import { readAccountMaterial } from './material.ts';

/** The ports that `importAccount` needs. */
export interface AccountImportPorts {
  readonly accounts: AccountStore;
  /** Reads the text of the AWS secret, or the Kubernetes Secret as `kubectl get -o json` prints it. */
  readonly readMaterial: (signal: AbortSignal) => Promise<string>;
  readonly log: Log;
}

/** The result of an account import. `unchanged`: this account was stored already. */
export type AccountImportAnswer =
  | {
      readonly issuer: string;
      readonly outcome: 'imported' | 'unchanged';
      readonly directory: string;
      /** The account's URL. Absent: the next order asks the CA for it, with the key. */
      readonly url?: string | undefined;
    }
  | {
      readonly issuer: string;
      readonly outcome: 'refused';
      readonly reason: 'Unknown' | 'Unreadable' | 'UnusableKey' | 'Exists';
      readonly message: string;
    };

/** Stores the account for the issuer's directory. Does not call the CA. May be called twice.
 *  @throws StoreError if the account cannot be read or written. */
export async function importAccount(
  { issuer, replace }: Omit<NonNullable<ImportRequest['account']>, 'secret' | 'from'>,
  { accounts, readMaterial, log }: AccountImportPorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<AccountImportAnswer> {
  const refuse = (reason: 'Unknown' | 'Unreadable' | 'UnusableKey' | 'Exists', message: string) => {
    return { issuer, outcome: 'refused', reason, message } as const;
  };
  const directory = inventory.issuers[issuer]?.directory;
  if (directory === undefined)
    return refuse(
      'Unknown',
      wordsOf(unknownPart('the inventory has no issuer', issuer, Object.keys(inventory.issuers))),
    );
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
  const stored = known ?? (await accounts.create(directory, account, signal));
  const url = stored.url ?? account.url;
  if (known?.key === account.key) return { issuer, outcome: 'unchanged', directory, url };
  if (stored.key !== account.key) {
    if (!replace) {
      const message = `an account for ${directory} is stored already${stored.url ? ` (${stored.url})` : ''}; add "replace": true to replace it. The AWS secret keeps the old account as its previous version`;
      return refuse('Exists', message);
    }
    await accounts.update(directory, account, signal);
  }
  log.info('account imported', { issuer, directory, account: account.url });
  return { issuer, outcome: 'imported', directory, url: account.url };
}

/** Why the key cannot be an account key; `undefined` if CAs accept it and we can sign with it. */
function findWeakness(key: KeyObject): string | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (namedCurve === 'prime256v1' || namedCurve === 'secp384r1') return undefined;
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048) return undefined;
  const type = namedCurve ?? (modulusLength ? `RSA with ${modulusLength} bits` : key.asymmetricKeyType);
  return `the account key is ${type}; CAs accept P-256, P-384, and RSA with at least 2048 bits`;
}

/** Whether the account URL is on the directory's host. A URL of ACME v1 is not, and no longer works: the key
 *  alone identifies that account. */
function isOfCa(url: string | undefined, directory: string): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).host === new URL(directory).host;
}
