// Gives the account at an issuer's CA a new key, as a person asks (RFC 8555 §7.3.5).
import type { Inventory } from '../certificate/spec.ts';
import { mayBeAlive } from '../certificate/stored.ts';
import { nameSome } from '../policy/bounds.ts';
import { invokeCommand } from '../policy/commands.ts';
import type { KeyedAccount } from '../ports/acme.ts';
import { errorOfPart, PartError } from '../ports/errors.ts';
import { RequestError } from '../requests/errors.ts';
import type { IssueRequest } from '../requests/issue-request.ts';
import { unknownPart } from '../requests/unknown.ts';
import { IssueError } from './errors.ts';
import type { IssuePorts } from './invocation.ts';

/** What became of an account's key. `planned`: nothing, by a dry run. `forgotten`: the CA knows the account
 *  no more, so that the next order registers another one. */
export interface AccountKeyReport {
  readonly issuer: string;
  readonly outcome: 'exchanged' | 'planned' | 'forgotten';
  /** URL of the CA's directory. */
  readonly directory: string;
  /** URL of the account; absent if it is forgotten. */
  readonly account?: string | undefined;
  /** The account as a sentence, and what a person must do besides. */
  readonly message: string;
}

/** The ports of an exchange: it changes the account alone. */
export type AccountKeyPorts = Pick<IssuePorts, 'clock' | 'openOrdering'> & {
  readonly store: Pick<IssuePorts['store'], 'list' | 'read'>;
};

/** Exchanges the key, or says what it would do. An exchange that was cut off is finished, with the key that
 *  it began with.
 *  @throws PartError `Unknown` if the inventory has no such issuer, `OrderOpen` while another run orders at
 *  its CA; or with the code of an AcmeError or a StoreError. */
export async function rotateAccountKey(
  { rotateAccountKey: issuer = '', dryRun }: Pick<IssueRequest, 'rotateAccountKey' | 'dryRun'>,
  ports: AccountKeyPorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<AccountKeyReport> {
  const { issuers } = inventory;
  const spec = Object.hasOwn(issuers, issuer) ? issuers[issuer] : undefined;
  if (!spec) throw unknownPart('the inventory has no issuer', issuer, Object.keys(issuers));
  try {
    await checkNoOrder(spec.directory, ports, signal);
    const { accountKeys } = await ports.openOrdering();
    if (!accountKeys) throw new IssueError('Failed', 'keys of accounts are not exchanged here');
    const account = await accountKeys[dryRun ? 'look' : 'exchange'](issuer, signal);
    const outcome = account.url === undefined ? 'forgotten' : dryRun ? 'planned' : 'exchanged';
    const { directory, url } = account;
    const message = describe(issuer, account, outcome, inventory);
    return { issuer, outcome, directory, account: url, message };
  } catch (error) {
    if (!(error instanceof RequestError)) throw errorOfPart(`issuer/${issuer}`, error);
    const command = invokeCommand('issue', { rotateAccountKey: issuer, dryRun: true });
    throw new PartError(`issuer/${issuer}`, error, { command });
  }
}

/** TXT values of an order, and the requests of the run that places it, are signed with the old key.
 *  @throws RequestError `OrderOpen`. */
async function checkNoOrder(
  directory: string,
  { store, clock }: AccountKeyPorts,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now();
  const open: { readonly name: string; readonly until: Date }[] = [];
  for (const { name, pending } of await store.list(signal)) {
    if (pending === undefined) continue;
    const value = (await store.read(name, { version: pending }, signal))?.value;
    if (value?.kind !== 'pending' || value.order.issuer !== directory) continue;
    if (mayBeAlive(value.order.deadline, now)) open.push({ name, until: value.order.deadline });
  }
  if (open.length === 0) return;
  const until = new Date(Math.max(...open.map((one) => one.until.getTime()))).toISOString();
  const names = nameSome(
    open.map(({ name }) => name),
    5,
  );
  throw new RequestError(
    'OrderOpen',
    `a run orders at ${directory} with the key of today (${names}), and a new one would fail it: call again after ${until}`,
  );
}

function describe(
  issuer: string,
  { directory, url, isHashed }: KeyedAccount,
  outcome: AccountKeyReport['outcome'],
  { issuers }: Inventory,
): string {
  if (url === undefined)
    return `the CA at ${directory} knows the account of issuer ${issuer} no more: the next order registers one, with a new key`;
  const sharing = Object.entries(issuers).filter(([, other]) => other.directory === directory);
  const others = sharing.map(([name]) => name).filter((name) => name !== issuer);
  const isAlso = others.length > 0 ? `, which is that of ${nameSome(others, 5)}, too,` : '';
  const what = `account ${url} at ${directory}${isAlso} ${outcome === 'planned' ? 'would get' : 'has'} a new key`;
  const hasRecords = isHashed && sharing.some(([, other]) => other.challenge === 'dns-persist-01');
  if (!hasRecords) return what;
  return `${what}; persistent records (_validation-persist) hold a hash of the old key and must be renewed: the next order that needs one adds the new value, and those written by hand and the old values are yours`;
}
