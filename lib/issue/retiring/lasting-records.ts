// Takes away the persistent TXT records (dns-persist-01) of a certificate that is let go. They would let
// whoever has the account's key order certificates for names that are given up.
import { persistentName, withoutWildcard } from '../../certificate/names.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { namesAccount, provingUris } from '../../policy/dns/persistent-record.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import type { RetiringCertificate } from './found.ts';

/** Removes the records that issuers of the inventory with this challenge wrote, at names that no other
 *  certificate has. Records in another form than that of Certrelay stay. Makes no call without such an
 *  issuer.
 *  @throws the error of the first record that could not be removed; AcmeError; StoreError. */
export async function removeLastingRecords(
  { name, spec, certificate }: RetiringCertificate,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  const issuers = Object.entries(invocation.inventory.issuers).filter(
    ([, { challenge }]) => challenge === 'dns-persist-01',
  );
  const domains = spec?.domains ?? (certificate ? readCertificate(certificate.chain).names : []);
  if (issuers.length === 0 || domains.length === 0) return;
  const used = await findUsedNames(name, ports, invocation);
  const free = [...new Set(domains.map(withoutWildcard))].filter((domain) => !used.has(domain));
  if (free.length === 0) return;
  const { describe, records } = await ports.openOrdering();
  const uris = new Set<string>();
  for (const [issuer] of issuers) {
    const { accountUrl: url, thumbprint, accountHashPrefix } = await describe(issuer, invocation.signal);
    if (url === undefined || thumbprint === undefined) continue;
    // A CA that has changed drafts may have been given both forms.
    for (const prefix of [undefined, accountHashPrefix])
      for (const domain of free)
        for (const uri of provingUris(domain, { url, thumbprint }, prefix)) uris.add(uri);
  }
  if (uris.size === 0) return;
  const isOurs = (text: string) => namesAccount(text, uris);
  const { failed } = await records.removeLasting(free.map(persistentName), isOurs, invocation.cleanUpSignal);
  for (const error of failed.values()) throw error;
}

/** The names of all other certificates, without `*.`. */
async function findUsedNames(
  name: string,
  { store }: IssuePorts,
  { inventory, signal }: IssueInvocation,
): Promise<ReadonlySet<string>> {
  const used = inventory.certificates.flatMap(({ domains }) => domains);
  const inFile = new Set(inventory.certificates.map((spec) => spec.name));
  for (const { name: other, state } of await store.list(signal)) {
    if (other === name || inFile.has(other) || !state.source) continue;
    used.push(...(state.domains ?? (await readDomains(other, store, signal))));
  }
  return new Set(used.map(withoutWildcard));
}

/** The names of a specification that has too many for tags. */
async function readDomains(
  name: string,
  store: IssuePorts['store'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const value = (await store.read(name, 'AWSCURRENT', signal))?.value;
  if (value?.kind === 'specification') return value.spec?.domains ?? [];
  return value?.kind === 'certificate' ? (value.certificate.spec?.domains ?? []) : [];
}
