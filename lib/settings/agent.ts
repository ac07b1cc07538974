// Reads the settings of an agent from the environment, in addition to those of `functions.ts`.
import { isPublicKey } from '../certificate/statement.ts';
import { ConfigError } from '../ports/errors.ts';

/** The settings of an agent. */
export interface AgentSettings {
  /** The agent's cluster: a key of `Inventory.clusters`. */
  readonly cluster: string;
  /** Public keys that may have signed statements, as `status` shows them. At least one. */
  readonly publicKeys: readonly string[];
  /** Time between two passes, in milliseconds. Absent: the agent makes one pass and ends. */
  readonly intervalMs?: number | undefined;
  /** Longest time to wait after a failed pass, in milliseconds. Absent: `intervalMs`. */
  readonly longestRetryMs?: number | undefined;
  /** Time limit of one pass, in milliseconds. */
  readonly passMs: number;
  /** The agent's version, as its reports show it. */
  readonly version: string;
  /** Path of a kubeconfig. Absent: the agent signs in with a service account. */
  readonly kubeconfig?: string | undefined;
  /** Path of a folder with a service account's token and CA. Absent: the pod's. */
  readonly serviceAccount?: string | undefined;
}

/** The settings in environment variables.
 *  @throws ConfigError `Settings` that names every variable that is wrong. */
export function readAgentSettings(environment: Readonly<Record<string, string | undefined>>): AgentSettings {
  const problems: string[] = [];
  const read = (name: string) => environment[name]?.trim() || undefined;
  const seconds = (name: string): number | undefined => {
    const text = read(name);
    if (text === undefined) return undefined;
    if (!/^[1-9]\d{0,4}$/.test(text)) problems.push(`${name} must be a whole number of seconds, 1 to 99999`);
    return Number(text) * 1000;
  };
  const cluster = read('CERTRELAY_CLUSTER') ?? '';
  if (cluster === '') problems.push('CERTRELAY_CLUSTER must be the name of this cluster in the inventory');
  const publicKeys = (read('CERTRELAY_SIGNING_KEY') ?? '').split(/[\s,]+/).filter((key) => key !== '');
  if (publicKeys.length === 0 || !publicKeys.every(isPublicKey)) {
    problems.push('CERTRELAY_SIGNING_KEY must contain the public key that `status` shows, 43 characters');
  }
  const settings = {
    cluster,
    publicKeys,
    intervalMs: seconds('CERTRELAY_AGENT_INTERVAL'),
    longestRetryMs: seconds('CERTRELAY_AGENT_LONGEST_RETRY'),
    passMs: seconds('CERTRELAY_AGENT_TIMEOUT') ?? 600_000,
    version: read('CERTRELAY_AGENT_VERSION') ?? 'unknown',
    kubeconfig: read('CERTRELAY_KUBECONFIG'),
    serviceAccount: read('CERTRELAY_SERVICE_ACCOUNT'),
  };
  if (problems.length > 0) throw new ConfigError('Settings', `invalid settings: ${problems.join('; ')}`);
  return settings;
}
