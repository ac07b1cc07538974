// The CA's accounts (RFC 8555 §7.3).
import * as z from 'zod';
import { checkBinding } from './binding.ts';
import type { PublicKey } from './jws.ts';
import { readKeyChange } from './key-change.ts';
import { malformed, Problem, unauthorized } from './problem.ts';
import { json, parsePayload, type Reply } from './reply.ts';
import type { Settings } from './settings.ts';
import type { Urls } from './urls.ts';

/** One account. */
export interface Account {
  readonly id: number;
  publicKey: PublicKey;
  contact: readonly string[];
  status: 'valid' | 'deactivated';
}

const registration = z.object({
  contact: z.array(z.string()).optional(),
  termsOfServiceAgreed: z.boolean().optional(),
  onlyReturnExisting: z.boolean().optional(),
  externalAccountBinding: z.unknown().optional(),
});
const change = z.object({ contact: z.array(z.string()).optional(), status: z.string().optional() });

/** RFC 2606's names, which Let's Encrypt refuses in a contact because they are copied from examples. */
const exampleDomains = ['example.com', 'example.net', 'example.org'];

/** All accounts of the CA, by number and by key. */
export class Accounts {
  readonly #byId = new Map<number, Account>();
  readonly #byThumbprint = new Map<string, Account>();
  readonly #settings: Settings;
  readonly #urls: Urls;
  #last = 0;

  constructor(settings: Settings, urls: Urls) {
    this.#settings = settings;
    this.#urls = urls;
  }

  get size(): number {
    return this.#byId.size;
  }

  deactivate(): void {
    for (const account of this.#byId.values()) account.status = 'deactivated';
  }

  /** As a CA that lost its accounts: every key is unknown from now on. */
  forget(): void {
    this.#byId.clear();
    this.#byThumbprint.clear();
  }

  /** Whether a key belongs to any account, and so may not be in a certificate (RFC 8555 §11.1). */
  hasKey(thumbprint: string): boolean {
    return this.#byThumbprint.has(thumbprint);
  }

  /** The account that a `kid` names.
   *  @throws Problem `accountDoesNotExist`, `unauthorized` where it was deactivated, `malformed` */
  find(kid: string): Account {
    const prefix = this.#urls.account('');
    const id = kid.startsWith(prefix) ? Number(kid.slice(prefix.length)) : Number.NaN;
    if (!Number.isSafeInteger(id)) throw malformed(`"kid" is not the URL of an account: "${kid}"`);
    const account = this.#byId.get(id);
    if (!account) throw new Problem('accountDoesNotExist', 400, `there is no account ${kid}`);
    if (account.status !== 'valid') throw unauthorized(`the account has the status "${account.status}"`);
    return account;
  }

  /** newAccount: 201 for a new key, 200 for a known one (RFC 8555 §7.3.1). */
  register(publicKey: PublicKey, payload: Buffer): Reply {
    const asked = parsePayload(registration, payload);
    const known = this.#byThumbprint.get(publicKey.thumbprint);
    if (known?.status === 'deactivated') throw unauthorized('the account of this key was deactivated');
    if (known) return this.#show(known, 200);
    if (asked.onlyReturnExisting) throw new Problem('accountDoesNotExist', 400, 'no account has this key');
    if (!asked.termsOfServiceAgreed) throw malformed('termsOfServiceAgreed must be true');
    checkBinding(asked.externalAccountBinding, publicKey, this.#urls.newAccount, this.#settings);
    const contact = asked.contact ?? [];
    checkContact(contact);
    this.#last += 1;
    const account: Account = { id: this.#last, publicKey, contact, status: 'valid' };
    this.#byId.set(account.id, account);
    this.#byThumbprint.set(publicKey.thumbprint, account);
    return this.#show(account, 201);
  }

  /** Reads (empty payload), changes or deactivates the account that signed (RFC 8555 §7.3.2, §7.3.6). */
  update(account: Account, id: string, payload: Buffer): Reply {
    if (Number(id) !== account.id) throw unauthorized('the request was signed by another account');
    if (payload.length > 0) {
      const asked = parsePayload(change, payload);
      if (asked.status !== undefined && asked.status !== 'deactivated' && asked.status !== 'valid') {
        throw malformed(`an account's status cannot be made "${asked.status}"`);
      }
      if (asked.contact) checkContact(asked.contact);
      account.contact = asked.contact ?? account.contact;
      if (asked.status === 'deactivated') account.status = 'deactivated';
    }
    return this.#show(account, 200);
  }

  /** keyChange (RFC 8555 §7.3.5): the old key signed the request, the new one what is in it. A key that has
   *  an account already is 409 with that account's URL. */
  changeKey(account: Account, payload: Buffer): Reply {
    const accountUrl = this.#urls.account(account.id);
    const publicKey = readKeyChange(payload, { url: this.#urls.keyChange, accountUrl, ...account });
    const owner = this.#byThumbprint.get(publicKey.thumbprint);
    if (owner) {
      const { headers, ...reply } = new Problem(
        'conflict',
        409,
        'the new key has an account already',
      ).answer();
      return { ...reply, headers: { ...headers, location: this.#urls.account(owner.id) } };
    }
    this.#byThumbprint.delete(account.publicKey.thumbprint);
    this.#byThumbprint.set(publicKey.thumbprint, account);
    account.publicKey = publicKey;
    return this.#show(account, 200);
  }

  #show({ id, status, contact }: Account, httpStatus: number): Reply {
    const url = this.#urls.account(id);
    return json(httpStatus, { status, contact, orders: `${url}/orders` }, { location: url });
  }
}

function checkContact(contact: readonly string[]): void {
  for (const one of contact) {
    const [scheme, address = ''] = one.split(/:(.*)/s, 2);
    if (one !== '' && scheme !== 'mailto') {
      throw new Problem('unsupportedContact', 400, `a contact must be a mailto: URL, which "${one}" is not`);
    }
    const match = /^[^@\s?#,]+@([a-z0-9-]+(?:\.[a-z0-9-]+)+)$/i.exec(address);
    if (!match) throw new Problem('invalidContact', 400, `"${one}" has no plain mail address`);
    if (exampleDomains.includes((match[1] ?? '').toLowerCase())) {
      throw new Problem('invalidContact', 400, `no mail can be sent to "${address}"`);
    }
  }
}
