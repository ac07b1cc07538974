// Takes over the Secret of another tool in a cluster: its certificate is imported, and the Secret becomes a target.
import { verifyBundle } from '../certificate/bundle.ts';
import { type CertificateSpec, isSecretTarget, type PemFormat } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { nameOfSecret } from '../inventory/discovery.ts';
import { explainIssue, mistakesOf } from '../inventory/problems.ts';
import { findTakenSecrets } from '../inventory/request-checks.ts';
import { registrationBody } from '../inventory/schema.ts';
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

/** What is asked: the Secret, and how it is to be taken. */
export type MigrationRequest = Omit<ImportRequest, 'account' | 'secret'> & {
  readonly from: NonNullable<ImportRequest['from']>;
};

/** What taking over stands on. */
export type MigrationPorts = Omit<ImportPorts, 'readText'> & { readonly connect: ConnectDirectory };

interface MigrationNotes {
  readonly certificate: string;
  /** What the old tool still does, and what of it can go. */
  readonly former: MigrationSource;
  readonly notes: readonly string[];
}

/** `planned`: dry run. A refusal's `StillManaged` names what would overwrite the Secret again. */
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

/** Without a certificate of that name in the inventory, or registered, the Secret's own names become one. Nothing in the cluster
 *  is changed: deploy brings our label and annotations. May be called twice. @throws ClusterError, StoreError, and ConfigError
 *  where the specification's issuer is gone. */
export async function migrateSecret(
  request: MigrationRequest,
  ports: MigrationPorts,
  invocation: ImportInvocation,
): Promise<MigrationAnswer> {
  const { from } = request;
  const inFile = invocation.inventory.certificates.find(({ name, targets }) =>
    request.certificate === undefined
      ? targets.some((one) => isTarget(one, from))
      : name === request.certificate,
  );
  const name = inFile?.name ?? request.certificate ?? nameOfSecret(from);
  const refuse = (reason: string, message: string, former?: MigrationSource): MigrationAnswer => {
    return { certificate: name, outcome: 'refused', reason, message, ...(former ? { former } : {}) };
  };
  const seen = await readSource(request, ports, invocation);
  if (!seen)
    return refuse(
      'Missing',
      `there is no Secret ${from.namespace}/${from.secret} in cluster ${from.cluster}`,
    );
  const { found, former } = seen;
  if (former.stillManaged !== undefined && !request.takeOver) {
    const message = `${former.stillManaged}: two would fill it in turn. Remove that first (${former.canGo.join('; ')}), or say "takeOver": true and remove it at once afterwards`;
    return refuse('StillManaged', message, former);
  }
  const text = JSON.stringify({ kind: 'Secret', data: found.data });
  const made = inFile ? { spec: inFile } : describeSpec(name, request, { found, text }, invocation);
  if ('problem' in made) return refuse('Unusable', made.problem, former);
  const { spec } = made;
  const verdict = verifyImport(text, spec.domains, ports.clock.now());
  if (!verdict.ok) return refuse(verdict.problem, verdict.message, former);
  const notes = inFile ? findTargetNotes(inFile, from) : [];
  if (request.dryRun) {
    const { names, notAfter } = verdict.bundle.facts;
    return {
      certificate: name,
      outcome: 'planned',
      names,
      notAfter,
      notes: [...notes, ...verdict.notes],
      former,
    };
  }
  // A secret that is there already says itself what it is for.
  if ('source' in spec) await ports.store.create(name, spec, invocation.signal);
  const source = { certificate: name, secret: '' };
  const answer = await importCertificate(source, { ...ports, readText: async () => text }, invocation);
  if (answer.outcome === 'refused') return refuse(answer.reason, answer.message, former);
  return { ...answer, notes: [...notes, ...answer.notes], former };
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

/** The certificate's own names and key type, and the Secret as its only target. */
function describeSpec(
  name: string,
  { from, issuer = 'default' }: MigrationRequest,
  { found, text }: { readonly found: FoundSecret; readonly text: string },
  { inventory }: ImportInvocation,
): { readonly spec: StoredSpec } | { readonly problem: string } {
  const material = readCertificateMaterial(text);
  if ('problem' in material) return material;
  const verdict = verifyBundle(material);
  if (!verdict.ok) return { problem: verdict.message };
  if (!Object.hasOwn(inventory.issuers, issuer)) {
    return { problem: `the inventory has no issuer "${issuer}", which is to renew it` };
  }
  const { names, keyType = 'ecdsa-p256' } = verdict.bundle.facts;
  const body = { name, domains: names, targets: [{ ...from, format: formatOf(found) }] };
  const parsed = registrationBody.safeParse(body, { error: explainIssue });
  if (!parsed.success) {
    return {
      problem: mistakesOf(parsed.error.issues)
        .map(({ message }) => message)
        .join('; '),
    };
  }
  const targets = (parsed.data.targets ?? []).map((one) => ({
    ...one,
    restart: one.restart ?? ('auto' as const),
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

/** What keeps deploy from writing the Secret, as the inventory stands. */
function findTargetNotes(
  { name, targets }: CertificateSpec,
  from: MigrationRequest['from'],
): readonly string[] {
  const own = targets.filter(isSecretTarget).find((one) => isTarget(one, from));
  const place = `${from.cluster}/${from.namespace}/${from.secret}`;
  if (!own) return [`the inventory's targets of ${name} do not name ${place}: add it with "adopt: true"`];
  return own.adopt
    ? []
    : [`say "adopt: true" on the target ${place}, or deploy will refuse the Secret as not ours`];
}

function isTarget(target: CertificateSpec['targets'][number], from: MigrationRequest['from']): boolean {
  return (
    isSecretTarget(target) &&
    target.cluster === from.cluster &&
    target.namespace === from.namespace &&
    target.secret === from.secret
  );
}
