// Everything that makes one simulation differ from another, drawn from its seed.
import type { AppsKind, RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import type { CertificateSpec, Inventory, SecretTarget } from '../../lib/certificate/spec.ts';
import { namespace } from './cluster.ts';
import type { WorkloadHabits } from './pods.ts';
import type { Random } from './random.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A workload that exists from the beginning. */
export interface PlannedWorkload extends WorkloadHabits {
  readonly cluster: string;
  readonly replicas: number;
  readonly strategy: 'RollingUpdate' | 'Recreate';
  /** How its pods read their Secrets: a variable, which never changes, or a mounted volume. */
  readonly uses: 'env' | 'volume';
}

/** A certificate with which one workload never gets ready. */
export interface BadCertificate {
  readonly certificate: string;
  /** The how-manieth that the CA issues for it, from 1. */
  readonly ordinal: number;
  /** `lab/Deployment web`. */
  readonly workload: string;
}

/** One simulation. Probabilities are for one call of a port, or for one tick where it says so. */
export interface SimulationOptions {
  readonly seed: string;
  readonly days: number;
  readonly tickMs: number;
  readonly lifetimeMs: number;
  readonly inventory: Inventory;
  readonly workloads: readonly PlannedWorkload[];
  readonly bad: readonly BadCertificate[];
  /** Whether every cluster gets an invocation of its own. */
  readonly fansOut: boolean;
  readonly listLagMs: number;
  readonly stalls: number;
  readonly fails: number;
  readonly loses: number;
  readonly kills: number;
  /** Of a certificate that is not what was ordered, for each that the CA issues. */
  readonly bends: number;
  /** Per tick: that the schedule calls issue, and deploy always. */
  readonly issues: number;
  /** Per tick: a second invocation at the same time, something that a person does, a dry run. */
  readonly twice: number;
  readonly people: number;
  /** That somebody changes a Secret that an invocation has just read. */
  readonly interferes: number;
  readonly dryRuns: number;
}

/** Draws a simulation from a seed. `days`: how long the faults go on; absent: drawn, too. */
export function drawOptions(seed: string, random: Random, days?: number): SimulationOptions {
  const world = random.split('installation');
  const rates = random.split('rates');
  const clusters = world.chance(0.5) ? ['lab'] : ['lab', 'edge'];
  const names = ['shop', 'api', 'mail'].slice(0, world.between(1, 3));
  const secretsOf = (name: string) => [`${name}-tls`, ...(world.chance(0.2) ? [`${name}-inner-tls`] : [])];
  const places = names.flatMap((name) =>
    secretsOf(name).flatMap((secret) =>
      clusters.filter(() => world.chance(0.8)).map((cluster) => ({ name, cluster, secret })),
    ),
  );
  const workloads = clusters.flatMap((cluster) => {
    const secrets = places.filter((place) => place.cluster === cluster).map(({ secret }) => secret);
    return secrets.length === 0 ? [] : drawWorkloads(cluster, secrets, world);
  });
  const certificates = names.map((name): CertificateSpec => {
    const own = places.filter((place) => place.name === name);
    const targets = own.map((place, index) => drawTarget(place, index, workloads, world));
    return {
      name,
      domains: [`${name}.example.com`, ...(world.chance(0.3) ? [`www.${name}.example.com`] : [])],
      issuer: 'default',
      key: 'ecdsa-p256',
      ...(world.chance(0.1) ? { rotateKey: 'never' as const } : {}),
      targets,
    };
  });
  const issuer = { directory: 'https://ca.example/directory', contact: [], agreeToTerms: true as const };
  const calm = rates.chance(0.15);
  const rate = (most: number) => (calm ? 0 : rates.next() * most);
  return {
    seed,
    days: days ?? world.between(6, 12),
    tickMs: world.between(2, 6) * hourMs,
    lifetimeMs: world.between(4, 8) * dayMs,
    inventory: {
      issuers: { default: issuer },
      clusters: Object.fromEntries(clusters.map((name) => [name, { kubeconfig: { secret: name } }])),
      certificates,
    },
    workloads,
    bad: drawBad(certificates, workloads, world),
    fansOut: world.chance(0.4),
    listLagMs: rates.chance(0.5) ? 0 : rates.between(0, 300_000),
    stalls: rate(0.01),
    fails: rate(0.03),
    loses: rate(0.02),
    kills: rate(0.004),
    bends: rates.chance(0.5) ? 0.3 : 0,
    twice: rates.next() * 0.3,
    people: rates.chance(0.2) ? 0 : rates.next() * 0.4,
    interferes: rates.chance(0.5) ? 0.05 : 0,
    dryRuns: 0.03,
    issues: 0.6,
  };
}

/** The same world where nothing fails and nobody interferes, and every hour issue and deploy are called. Pods
 *  start in time, because a rollout that fails freezes a version. */
export function withoutFaults(options: SimulationOptions): SimulationOptions {
  const none = { stalls: 0, fails: 0, loses: 0, kills: 0, bends: 0, twice: 0, people: 0, interferes: 0 };
  const workloads = options.workloads.map((one) => ({ ...one, startMs: Math.min(one.startMs, 20_000) }));
  return { ...options, ...none, workloads, bad: [], dryRuns: 0, issues: 1, tickMs: hourMs };
}

function drawWorkloads(
  cluster: string,
  secrets: readonly string[],
  random: Random,
): readonly PlannedWorkload[] {
  return Array.from({ length: random.between(1, 4) }, (_, index) => {
    const kind = random.pick<AppsKind>(['Deployment', 'Deployment', 'StatefulSet', 'DaemonSet']);
    const isSlow = random.chance(0.1);
    return {
      cluster,
      kind,
      name: `${['web', 'proxy', 'cache', 'queue'][index] ?? 'more'}`,
      secrets: [random.pick(secrets), ...random.some(secrets, 0.3)].filter(
        (secret, place, all) => all.indexOf(secret) === place,
      ),
      startMs: isSlow ? random.between(200, 500) * 1_000 : random.between(2, 40) * 1_000,
      lagMs: random.between(50, 2_000),
      nodes: random.between(1, 3),
      replicas: random.chance(0.1) ? 0 : random.between(1, 3),
      strategy: random.chance(0.15) ? 'Recreate' : 'RollingUpdate',
      uses: random.pick(['env', 'volume']),
    };
  });
}

function drawTarget(
  { cluster, secret }: { readonly cluster: string; readonly secret: string },
  index: number,
  workloads: readonly PlannedWorkload[],
  random: Random,
): SecretTarget {
  const users = workloads.filter((one) => one.cluster === cluster && one.secrets.includes(secret));
  const listed = users.filter(() => random.chance(0.7)).map(({ kind, name }) => ({ kind, name }));
  const restart = random.pick(['auto', 'auto', 'auto', 'needed', 'none', 'list'] as const);
  const isShared = users.some((user) => user.secrets.length > 1);
  const target: SecretTarget = {
    cluster,
    namespace,
    secret,
    format: 'tls',
    restart: restart === 'list' ? listed : restart,
    restartStrategy: !isShared && random.chance(0.1) ? 'env' : 'annotation',
    adopt: false,
    replace: false,
    addresses: [{ address: `192.0.2.${index + 1}` }],
  };
  const concerned =
    target.restart === 'auto'
      ? users
      : users.filter(({ kind, name, uses }) =>
          target.restart === 'needed'
            ? uses === 'env'
            : listed.some((one) => one.kind === kind && one.name === name),
        );
  if (target.restart === 'none' || !random.chance(0.65)) return target;
  return { ...target, rollout: drawRollout(concerned, random) };
}

function drawRollout(users: readonly PlannedWorkload[], random: Random): RolloutSpec {
  const canary = users.length > 0 && random.chance(0.6) ? random.pick(users) : undefined;
  const days = (['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const).filter(() => random.chance(0.5));
  const fromMinute = random.between(0, 47) * 30;
  const window = {
    days: days.length > 0 ? days : (['Tue'] as const),
    fromMinute,
    toMinute: (fromMinute + random.between(2, 16) * 30) % 1440,
    timeZone: 'UTC',
  };
  return {
    ...(canary ? { canary: { kind: canary.kind, name: canary.name } } : {}),
    waves: random.between(1, 2),
    deadlineMs: random.between(3, 15) * 60_000,
    probe: random.chance(0.5),
    windows: random.chance(0.5) ? [window] : [],
  };
}

/** One certificate from the second on, in most simulations. */
function drawBad(
  certificates: readonly CertificateSpec[],
  workloads: readonly PlannedWorkload[],
  random: Random,
): readonly BadCertificate[] {
  const choices = certificates.flatMap(({ name, targets }) =>
    workloads
      .filter((one) =>
        targets.some((to) => !('acm' in to) && to.cluster === one.cluster && one.secrets.includes(to.secret)),
      )
      .map((one) => ({ certificate: name, workload: `${one.cluster}/${one.kind} ${one.name}` })),
  );
  if (choices.length === 0 || !random.chance(0.7)) return [];
  return [{ ...random.pick(choices), ordinal: random.between(2, 3) }];
}
