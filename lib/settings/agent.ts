// What an agent is told by its environment, beside what every function is told (`config.ts`).
import { isPublicKey } from '../certificate/statement.ts';
import { ConfigError } from '../ports/errors.ts';

export interface AgentSettings {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  /** Keys that statements may be signed with, as `status` shows them; never none. */
  readonly publicKeys: readonly string[];
  /** Waits between two passes in milliseconds; absent: one pass is made. */
  readonly intervalMs?: number | undefined;
  /** Longest wait after a failed pass; absent: the interval. */
  readonly longestRetryMs?: number | undefined;
  /** How long one pass may take. */
  readonly passMs: number;
  /** What the agent is called in its reports. */
  readonly version: string;
  /** Path of a kubeconfig, or of a folder with a service account's token and CA; absent: those of the pod. */
  readonly kubeconfig?: string | undefined;
  readonly serviceAccount?: string | undefined;
}

/** Settings from environment variables. @throws ConfigError `Settings`, naming every variable that is wrong. */
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
  if (cluster === '') problems.push('CERTRELAY_CLUSTER must name this cluster as the inventory does');
  const publicKeys = (read('CERTRELAY_SIGNING_KEY') ?? '').split(/[\s,]+/).filter((key) => key !== '');
  if (publicKeys.length === 0 || !publicKeys.every(isPublicKey)) {
    problems.push('CERTRELAY_SIGNING_KEY must hold the public key that `status` shows, 43 characters');
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
  if (problems.length > 0) throw new ConfigError('Settings', `settings to mend: ${problems.join('; ')}`);
  return settings;
}
