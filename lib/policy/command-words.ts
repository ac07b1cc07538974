// The words of the command line (`infra/cli`) for the events that functions are called with.

/** The event that a command calls a function with. */
export type CalledEvent = Readonly<Record<string, unknown>>;

/** The words after `npx certrelay`; `undefined` if the event has a field that the command line has no word
 *  for, or a text that is no plain word. `report` needs none: the command line always asks for it. */
export function findWords(name: string, event: CalledEvent): readonly string[] | undefined {
  const words = chooseWords(name, event);
  return words?.every(isPlain) ? words : undefined;
}

function chooseWords(name: string, event: CalledEvent): readonly string[] | undefined {
  const fields = Object.keys(event).filter((key) => key !== 'report' && event[key] !== undefined);
  const has = (...allowed: readonly string[]) => fields.every((key) => allowed.includes(key));
  const names = textsOf(event.certificates);
  const dryRun = event.dryRun ? ['--dry-run'] : [];
  switch (name) {
    case 'status':
      if (event.acknowledge) return acknowledgeWords(event, has('acknowledge', 'for', 'reason'));
      return has('certificates') ? [name, ...names] : undefined;
    case 'probe':
      return has('certificates') ? [name, ...names] : undefined;
    case 'issue':
      if (typeof event.rotateAccountKey === 'string')
        return has('rotateAccountKey', 'dryRun')
          ? ['rotate-account-key', event.rotateAccountKey, ...dryRun]
          : undefined;
      if (typeof event.forecast === 'string')
        return has('forecast', 'from', 'lifetime', 'reuse')
          ? ['forecast', ...forecastWords(event)]
          : undefined;
      if (event.dryRun) return has('certificates', 'dryRun') ? ['plan', ...names] : undefined;
      return has('certificates', 'force')
        ? ['renew', ...names, ...(event.force ? ['--force'] : [])]
        : undefined;
    case 'deploy':
      return has('certificates', 'targets', 'clusters', 'dryRun', 'rollback', 'resume')
        ? [...deliveryWords(event, names), ...dryRun]
        : undefined;
    case 'pause':
      if (names.length === 0) return undefined;
      if (event.resume) return has('certificates', 'resume') ? ['unpause', ...names] : undefined;
      if (!has('certificates', 'until')) return undefined;
      return ['pause', ...names, ...(typeof event.until === 'string' ? ['--until', event.until] : [])];
    case 'retire':
      if (event.restore)
        return has('restore', 'dryRun') ? ['restore', ...textsOf(event.restore), ...dryRun] : undefined;
      return has('certificates', 'dryRun', 'revoke') && names.length > 0
        ? ['retire', ...names, ...revokeWords(event), ...dryRun]
        : undefined;
    case 'discover':
      return has('dryRun') ? ['discover', ...dryRun] : undefined;
    case 'notify':
      return has('test') ? ['notify', '--test'] : undefined;
    default:
      return undefined;
  }
}

function acknowledgeWords(event: CalledEvent, isKnown: boolean): readonly string[] | undefined {
  const { for: length, reason } = event;
  if (!isKnown || typeof length !== 'string' || typeof reason !== 'string') return undefined;
  return ['ack', ...textsOf(event.acknowledge), '--for', length, '--reason', reason];
}

function deliveryWords(event: CalledEvent, names: readonly string[]): readonly string[] {
  if (event.rollback) return ['rollback', ...names];
  if (event.resume) return ['resume', ...names];
  const targets = textsOf(event.targets);
  const clusters = textsOf(event.clusters);
  return [
    'deploy',
    ...names,
    ...(targets.length > 0 ? ['--target', ...targets] : []),
    ...(clusters.length > 0 ? ['--cluster', ...clusters] : []),
  ];
}

function forecastWords({ forecast, ...others }: CalledEvent): readonly string[] {
  const options = Object.entries({ for: forecast, ...others });
  return options.flatMap(([name, value]) => (typeof value === 'string' ? [`--${name}`, value] : []));
}

function revokeWords({ revoke }: CalledEvent): readonly string[] {
  if (typeof revoke !== 'boolean') return [];
  return [revoke ? '--revoke' : '--no-revoke'];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Whether a word stands for itself: it is no option of somebody's choice, and a terminal shows all of it. */
function isPlain(word: string): boolean {
  return word !== '' && /^[ -~]+$/.test(word) && (!word.startsWith('-') || ownOptions.has(word));
}

const ownOptions = new Set([
  '--dry-run',
  '--force',
  '--target',
  '--cluster',
  '--until',
  '--test',
  '--for',
  '--from',
  '--lifetime',
  '--reuse',
  '--reason',
  '--revoke',
  '--no-revoke',
]);
