// Gives stored certificates to a person: as files in any format, or as manifests for `kubectl apply`.

import { dump } from 'js-yaml';
import { type Bundle, verifyBundle } from '../certificate/bundle.ts';
import { layOutPem } from '../certificate/formats.ts';
import { holdsPrivateKey } from '../certificate/pem.ts';
import { type Inventory, isSecretTarget, type SecretTarget } from '../certificate/spec.ts';
import { type Delivery, describeSecret, nameTarget } from '../policy/delivery/secret.ts';
import type { Log } from '../ports/log.ts';
import { readPassword } from '../ports/passwords.ts';
import type { CertificateStore, ReadText } from '../ports/store.ts';
import type { ExportRequest } from '../requests/requests.ts';

/** One certificate. With `key` it holds the private key, and nobody may log it. */
export interface Exported {
  readonly name: string;
  readonly version: string;
  readonly names: readonly string[];
  readonly notAfter: Date;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  /** Contents by name of file, or of key in a cluster Secret. */
  readonly files?: Readonly<Record<string, string>>;
  /** Names of those left out, because they hold the private key and `key` was not said. */
  readonly withheld?: readonly string[];
  /** YAML documents, one for each target. */
  readonly manifest?: string;
}

/** What exporting stands on. `readText` is for the passwords of keystores. */
export interface ExportPorts {
  readonly store: CertificateStore;
  readonly readText: ReadText;
  readonly log: Log;
}

/** Reads AWSCURRENT of each certificate; one that cannot be exported is among the failures, with a sentence about it.
 *  Writes nothing. Private keys that are given away are said in one line of the log, by the certificates' names; where something
 *  fails nobody gets any. */
export async function exportCertificates(
  request: ExportRequest,
  ports: ExportPorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<{ readonly certificates: readonly Exported[]; readonly failures: readonly Error[] }> {
  const certificates: Exported[] = [];
  const failures: Error[] = [];
  for (const name of new Set(request.certificates)) {
    try {
      certificates.push(await exportOne(name, request, ports, { inventory, signal }));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failures.push(new Error(`${name}: ${error.message}`, { cause: error }));
    }
  }
  const given = certificates.filter(holdsKey).map(({ name }) => name);
  if (given.length > 0 && failures.length === 0) {
    const { format = 'tls' } = request;
    ports.log.warn('private keys exported', { certificates: given, format });
  }
  return { certificates, failures };
}

/** A manifest always does. */
function holdsKey({ files: shown = {}, manifest }: Exported): boolean {
  return manifest !== undefined || Object.values(shown).some(holdsPrivateKey);
}

async function exportOne(
  name: string,
  request: ExportRequest,
  { store, readText }: ExportPorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<Exported> {
  const current = await store.read(name, 'AWSCURRENT', signal);
  if (current?.value.kind !== 'certificate') throw new Error('no certificate is stored under this name');
  const { certificate } = current.value;
  const verdict = verifyBundle(certificate);
  if (!verdict.ok)
    throw new Error(`what is stored is not fit for use (${verdict.problem}): ${verdict.message}`);
  const { bundle } = verdict;
  const { names, notAfter, fingerprint } = bundle.facts;
  const told = { name, version: current.version, names, notAfter, fingerprint };
  const { format = 'tls', key = false } = request;
  if (format !== 'manifest') return { ...told, ...files(bundle, { format, withKey: key }) };
  const inFile = inventory.certificates.find((spec) => spec.name === name);
  const targets = (inFile?.targets ?? certificate.spec?.targets ?? []).filter(isSecretTarget);
  const delivery = { certificate: name, ...told, chain: bundle.chain, key: bundle.key };
  const chosen = chooseTargets(targets, request.target);
  const write = (target: SecretTarget) => writeManifest(delivery, target, readText, signal);
  return { ...told, manifest: (await Promise.all(chosen.map(write))).join('---\n') };
}

function files(
  bundle: Bundle,
  options: {
    readonly format: Exclude<NonNullable<ExportRequest['format']>, 'manifest'>;
    readonly withKey: boolean;
  },
) {
  const { format, withKey } = options;
  const values =
    format === 'pem'
      ? { 'fullchain.pem': bundle.chain, 'privkey.pem': bundle.key }
      : layOutPem(bundle, format);
  const open = Object.entries(values).filter(([, text]) => withKey || !holdsPrivateKey(text));
  const shown = Object.fromEntries(open);
  const withheld = Object.keys(values).filter((name) => !Object.hasOwn(shown, name));
  return withheld.length === 0 ? { files: shown } : { files: shown, withheld };
}

function chooseTargets(targets: readonly SecretTarget[], asked: string | undefined): readonly SecretTarget[] {
  const chosen = asked === undefined ? targets : targets.filter((target) => nameTarget(target) === asked);
  if (chosen.length > 0) return chosen;
  const known = targets.map(nameTarget).join(', ') || 'none';
  throw new Error(`it has no target ${asked ?? ''} to write a manifest for; its targets: ${known}`);
}

async function writeManifest(
  delivery: Delivery,
  target: SecretTarget,
  readText: ReadText,
  signal: AbortSignal,
): Promise<string> {
  const password = await readPassword(target, readText, signal);
  const { name, namespace, labels, annotations, type, data } = describeSecret(delivery, target, password);
  const metadata = { name, namespace, labels, annotations };
  // In quotes, so that no reader takes a date or a hash for anything but text.
  return dump(
    { apiVersion: 'v1', kind: 'Secret', metadata, type, data },
    { forceQuotes: true, quoteStyle: 'double', lineWidth: -1 },
  );
}
