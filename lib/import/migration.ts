// Migrates a Kubernetes Secret of another tool: imports its certificate and makes the Secret a target.
import { verifyBundle } from '../certificate/bundle.ts';
import { type CertificateSpec, isSecretTarget, type PemFormat } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { nameOfSecret } from '../inventory/discovery.ts';
import { mistakesOf, parseManner } from '../inventory/problems.ts';
import { findTakenSecrets } from '../inventory/request-checks.ts';
import { registrationBody } from '../inventory/schema.ts';
import { invokeCommand } from '../policy/commands.ts';
import { freezeOf, isImported, resumeCommand } from '../policy/delivery/freeze.ts';
import { nameTarget } from '../policy/delivery/secret-plan.ts';
import {
  type FoundSecret,
  judgeMigrationSource,
  type MigrationSource,
} from '../policy/kubernetes/migration-source.ts';
import type { ConnectDirectory } from '../ports/cluster.ts';
import type { ImportRequest } from '../requests/import.ts';
import {
  type ImportAnswer,
  type ImportInvocation,
  type ImportPorts,
  importCertificate,
} from './certificate.ts';
import { readCertificateMaterial } from './material.ts';
import { verifyImport } from './verification.ts';

/** The Secret to migrate, and how. */
export type MigrationRequest = Omit<ImportRequest, 'account' | 'secret'> & {
  readonly from: NonNullable<ImportRequest['from']>;
};

/** The ports that `migrateSecret` needs. */
export type MigrationPorts = Omit<ImportPorts, 'readText'> & { readonly connect: ConnectDirectory };

interface MigrationNotes {
  readonly certificate: string;
  /** What the other tool still does, and what of it can be removed. */
  readonly former: MigrationSource;
  readonly notes: readonly string[];
}

/** The result of a migration. `planned`: dry run. Refused with `StillManaged`: the other tool would overwrite
 *  the Secret. */
export type MigrationAnswer =
  | (MigrationNotes & Exclude<ImportAnswer, { readonly outcome: 'refused' }>)
  | (MigrationNotes & {
      readonly outcome: 'planned';
      readonly names: readonly string[];
      readonly notAfter: Date;
    })
  | {
      readonly certificate: string;
      readonly outcome: 'refused';
      readonly reason: string;
      readonly message: string;
      readonly former?: MigrationSource;
    };

/** Imports the certificate in the Secret. If neither the request nor the inventory has a certificate for it,
 *  registers one with the names in the Secret. Changes nothing in the cluster: `deploy` adds our label and
 *  annotations once a person asks it to (`resume`). May be called twice.
 *  @throws ClusterError, StoreError if the cluster or the store cannot be read or written; ConfigError
 *  `Inventory` if the issuer is not in the inventory. */
export async function migrateSecret(
  request: MigrationRequest,
  ports: MigrationPorts,
  invocation: ImportInvocation,
): Promise<MigrationAnswer> {
  const { from, selfSigned } = request;
  const inFile = invocation.inventory.certificates.find(({ name, targets }) =>
    request.certificate === undefined
      ? targets.some((target) => isTarget(target, from))
      : name === request.certificate,
  );
  const name = inFile?.name ?? request.certificate ?? nameOfSecret(from);
  const refuse = (reason: string, message: string, former?: MigrationSource): MigrationAnswer => {
    return { certificate: name, outcome: 'refused', reason, message, ...(former ? { former } : {}) };
  };
  const existing = await readSource(request, ports, invocation);
  if (!existing)
    return refuse('Missing', `cluster ${from.cluster} has no Secret ${from.namespace}/${from.secret}`);
  const { found, former } = existing;
  if (former.stillManaged !== undefined && !request.takeOver) {
    const message = `${former.stillManaged}, so both tools would overwrite the Secret in turn. Remove the other tool first (${former.canGo.join('; ')}); or add "takeOver": true and remove it right after`;
    return refuse('StillManaged', message, former);
  }
  const text = JSON.stringify({ kind: 'Secret', data: found.data });
  const described = inFile ? { spec: inFile } : describeSpec(name, request, { found, text }, invocation);
  if ('problem' in described) return refuse('Unusable', described.problem, former);
  const { spec } = described;
  const verified = verifyImport(text, { domains: spec.domains, now: ports.clock.now(), selfSigned });
  if (!verified.ok) return refuse(verified.problem, verified.message, former);
  const notes = inFile ? findTargetNotes(inFile, from) : [];
  if (request.dryRun) {
    const { names, notAfter } = verified.bundle.facts;
    return {
      certificate: name,
      outcome: 'planned',
      names,
      notAfter,
      notes: [...notes, ...verified.notes],
      former,
    };
  }
  // An AWS secret that exists already has its own specification.
  if ('source' in spec) await ports.store.create(name, spec, invocation.signal);
  const source = { certificate: name, secret: '', selfSigned, origin: nameTarget(from) };
  const answer = await importCertificate(source, { ...ports, readText: async () => text }, invocation);
  if (answer.outcome === 'refused') return refuse(answer.reason, answer.message, former);
  const state = (await ports.store.describe(name, invocation.signal))?.state;
  const freeze = freezeOf(state?.freeze, answer.version);
  const held = freeze && isImported(freeze) ? [describeHold(name)] : [];
  return { ...answer, notes: [...held, ...notes, ...answer.notes], former };
}

/** What a person runs next. */
function describeHold(certificate: string): string {
  const look = invokeCommand('deploy', { certificates: [certificate], resume: true, dryRun: true });
  return `nothing is delivered by the import alone; to see what deploy would change and restart, run: ${look}; to deliver it, run: ${resumeCommand(certificate)}`;
}

async function readSource(
  { from: { cluster, namespace, secret }, toolNamespace }: MigrationRequest,
  { connect }: MigrationPorts,
  { signal }: ImportInvocation,
): Promise<{ readonly found: FoundSecret; readonly former: MigrationSource } | undefined> {
  const directory = await connect(cluster, signal);
  try {
    const found = await directory.readFoundSecret(namespace, secret, signal);
    if (!found) return undefined;
    const own = await directory.listToolObjects(namespace, signal);
    const others =
      toolNamespace === undefined || toolNamespace === namespace
        ? []
        : [await directory.listToolObjects(toolNamespace, signal)];
    return { found, former: judgeMigrationSource(secret, found, [own, ...others]) };
  } finally {
    await directory.close();
  }
}

/** A specification with the names and key type of the certificate in the
 *  Secret, and the Secret as its only target. */
function describeSpec(
  name: string,
  { from, issuer = 'default' }: MigrationRequest,
  { found, text }: { readonly found: FoundSecret; readonly text: string },
  { inventory }: ImportInvocation,
): { readonly spec: StoredSpec } | { readonly problem: string } {
  const material = readCertificateMaterial(text);
  if ('problem' in material) return material;
  const verified = verifyBundle(material);
  if (!verified.ok) return { problem: verified.message };
  if (!Object.hasOwn(inventory.issuers, issuer)) {
    return {
      problem: `the inventory has no issuer "${issuer}" to renew it; add it, or name another with "issuer"`,
    };
  }
  const { names, keyType = 'ecdsa-p256' } = verified.bundle.facts;
  const body = { name, domains: names, targets: [{ ...from, format: formatOf(found) }] };
  const parsed = registrationBody.safeParse(body, parseManner);
  if (!parsed.success) {
    return {
      problem: mistakesOf(parsed.error.issues)
        .map(({ message }) => message)
        .join('; '),
    };
  }
  const targets = (parsed.data.targets ?? []).map((target) => ({
    ...target,
    restart: target.restart ?? ('auto' as const),
    adopt: true,
    replace: false,
  }));
  const { domains } = parsed.data;
  const spec: StoredSpec = { name, domains, issuer, key: keyType, targets, source: 'import' };
  const [taken] = findTakenSecrets(spec, inventory);
  return taken ? { problem: taken.message } : { spec };
}

function formatOf({ type, data }: FoundSecret): PemFormat {
  if (type === 'kubernetes.io/tls') return 'tls';
  if (data.proxycert === undefined) return 'tls';
  return data['tls.pem'] === undefined ? 'nginx-ssl-proxy' : 'ployst';
}

/** What to change in the inventory so that `deploy` may write the Secret. Empty if nothing. */
function findTargetNotes(
  { name, targets }: CertificateSpec,
  from: MigrationRequest['from'],
): readonly string[] {
  const own = targets.filter(isSecretTarget).find((target) => isTarget(target, from));
  const described = `${from.cluster}/${from.namespace}/${from.secret}`;
  if (!own)
    return [`certificate ${name} has no target ${described} in the inventory; add it with "adopt: true"`];
  return own.adopt
    ? []
    : [`add "adopt: true" to the target ${described}; without it, deploy refuses the Secret as not ours`];
}

function isTarget(target: CertificateSpec['targets'][number], from: MigrationRequest['from']): boolean {
  return (
    isSecretTarget(target) &&
    target.cluster === from.cluster &&
    target.namespace === from.namespace &&
    target.secret === from.secret
  );
}
