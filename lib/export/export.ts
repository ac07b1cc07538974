// The export story: returns stored certificates as files in a format, or as manifests for `kubectl apply`.

import { dump } from 'js-yaml';
import { type Bundle, verifyBundle } from '../certificate/bundle.ts';
import { holdsPrivateKey } from '../certificate/pem.ts';
import { layOutPem } from '../certificate/secret-layout.ts';
import { type Inventory, isSecretTarget, type SecretTarget } from '../certificate/spec.ts';
import { type Delivery, describeSecret, nameTarget } from '../policy/delivery/secret-plan.ts';
import type { Clock } from '../ports/clock.ts';
import { errorOfPart } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import { readPassword } from '../ports/passwords.ts';
import type { CertificateStore, ReadText } from '../ports/store.ts';
import { RequestError } from '../requests/errors.ts';
import type { ExportRequest } from '../requests/requests.ts';
import { createRefusal } from '../requests/unknown.ts';

/** One exported certificate. If the request has `key`, it contains the private key: never log it. */
export interface Exported {
  readonly name: string;
  readonly version: string;
  readonly names: readonly string[];
  readonly notAfter: Date;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  /** Contents by file name, or by key of the Kubernetes Secret. */
  readonly files?: Readonly<Record<string, string>>;
  /** Names of files that are left out, because they contain the private key and the request has no `key`. */
  readonly withheld?: readonly string[];
  /** YAML documents of Kubernetes Secrets, one for each target. */
  readonly manifest?: string;
}

/** The ports that exporting needs. `readText` reads keystore passwords. */
export interface ExportPorts {
  readonly store: CertificateStore;
  readonly readText: ReadText;
  readonly clock: Clock;
  readonly log: Log;
}

/** The inventory and the time limit. `wantsReport`: what could be exported is answered beside failures. */
interface ExportInvocation {
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
  readonly wantsReport?: boolean;
}

/** Reads AWSCURRENT of each requested certificate. A certificate that cannot be exported is in `failures`,
 *  and does not stop the others. Writes nothing. If private keys are exported, logs one warning with the
 *  certificates' names, unless something failed and no report is wanted: then nothing is answered. */
export async function exportCertificates(
  request: ExportRequest,
  ports: ExportPorts,
  { inventory, signal, wantsReport }: ExportInvocation,
): Promise<{ readonly certificates: readonly Exported[]; readonly failures: readonly Error[] }> {
  const certificates: Exported[] = [];
  const failures: Error[] = [];
  // Its role may not list the store.
  const refuse = createRefusal({ inventory, signal });
  for (const name of new Set(request.certificates)) {
    try {
      certificates.push(await exportCertificate(name, request, { ...ports, refuse }, { inventory, signal }));
    } catch (error) {
      failures.push(errorOfPart(name, error));
    }
  }
  const withKeys = certificates.filter(hasPrivateKey).map(({ name }) => name);
  if (withKeys.length > 0 && (failures.length === 0 || wantsReport)) {
    const { format = 'tls' } = request;
    ports.log.warn('private keys exported', { certificates: withKeys, format });
  }
  return { certificates, failures };
}

/** Whether the export contains the private key. A manifest always does. */
function hasPrivateKey({ files: shown = {}, manifest }: Exported): boolean {
  return manifest !== undefined || Object.values(shown).some(holdsPrivateKey);
}

async function exportCertificate(
  name: string,
  request: ExportRequest,
  { store, readText, clock, refuse }: ExportPorts & { readonly refuse: ReturnType<typeof createRefusal> },
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<Exported> {
  const current = await store.read(name, 'AWSCURRENT', signal);
  const inFile = inventory.certificates.find((spec) => spec.name === name);
  if (!current && !inFile) throw await refuse(name);
  if (current?.value.kind === 'unparsable') throw new RequestError('Unreadable', current.value.problem);
  if (current?.value.kind !== 'certificate')
    throw new RequestError('NotStored', 'it has not been issued yet');
  const { certificate } = current.value;
  // As deploy writes it now; what is not valid now is exported all the same.
  const validNow = verifyBundle(certificate, clock.now());
  const verified = validNow.ok ? validNow : verifyBundle(certificate, validNow.validFrom);
  if (!verified.ok)
    throw new RequestError(
      'Unusable',
      `the stored certificate cannot be used (${verified.problem}): ${verified.message}`,
    );
  const { bundle } = verified;
  const { names, notAfter, fingerprint } = bundle.facts;
  const facts = { name, version: current.version, names, notAfter, fingerprint };
  const { format = 'tls', key = false } = request;
  if (format !== 'manifest') return { ...facts, ...layOutFiles(bundle, { format, withKey: key }) };
  const targets = (inFile?.targets ?? certificate.spec?.targets ?? []).filter(isSecretTarget);
  const delivery = { certificate: name, ...facts, chain: bundle.chain, key: bundle.key };
  const chosen = chooseTargets(targets, request.target);
  const write = (target: SecretTarget) => writeManifest(delivery, target, readText, signal);
  return { ...facts, manifest: (await Promise.all(chosen.map(write))).join('---\n') };
}

function layOutFiles(
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
  const allowed = Object.entries(values).filter(([, text]) => withKey || !holdsPrivateKey(text));
  const shown = Object.fromEntries(allowed);
  const withheld = Object.keys(values).filter((name) => !Object.hasOwn(shown, name));
  return withheld.length === 0 ? { files: shown } : { files: shown, withheld };
}

function chooseTargets(
  targets: readonly SecretTarget[],
  requested: string | undefined,
): readonly SecretTarget[] {
  const chosen =
    requested === undefined ? targets : targets.filter((target) => nameTarget(target) === requested);
  if (chosen.length > 0) return chosen;
  const known = targets.map(nameTarget).join(', ') || 'none';
  throw new RequestError(
    'Unknown',
    `it has no target ${requested ?? 'in a cluster'} for a manifest; its targets: ${known}`,
  );
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
  // Quotes, so that no YAML parser reads a date or a hash as anything but text.
  return dump(
    { apiVersion: 'v1', kind: 'Secret', metadata, type, data },
    { forceQuotes: true, quoteStyle: 'double', lineWidth: -1 },
  );
}
