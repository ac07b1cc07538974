// The commands that messages show. Each can be pasted into a shell as it stands.

/** The functions that people call. */
export type CalledFunction =
  | 'issue'
  | 'deploy'
  | 'discover'
  | 'import'
  | 'export'
  | 'revoke'
  | 'pause'
  | 'retire'
  | 'probe'
  | 'status'
  | 'notify'
  | 'dashboard';

/** Which installation commands are for. What is absent is not named, nor is the default stage. */
export interface InstallationPlace {
  /** As in `serverless deploy --stage`. */
  readonly stage?: string | undefined;
  /** The AWS region of the stack. It is always named: a shell may have another one in its environment. */
  readonly region?: string | undefined;
}

/** The event that a command calls a function with. */
type CalledEvent = Readonly<Record<string, unknown>>;

/** What serverless.yml takes for a command that names none. */
const defaultStage = 'dev';

// Set as a function starts: a process belongs to one installation, and messages begin in many places.
let options = '';

/** Says which installation the commands of this process are for. */
export function setCommandPlace({ stage, region }: InstallationPlace): void {
  const stageOption = stage === undefined || stage === defaultStage ? '' : ` --stage ${quote(stage)}`;
  options = `${stageOption}${region === undefined ? '' : ` --region ${quote(region)}`}`;
}

/** The shell command that calls a function with an event; without `data`, with none. It is one of the command
 *  line (`infra/cli`), or an invocation if that has no word for the event. */
export function invokeCommand(name: CalledFunction, data?: CalledEvent): string {
  const words = findWords(name, data ?? {});
  if (words?.every(isPlain)) return `npx certrelay ${words.map(quote).join(' ')}${options}`;
  const event = data === undefined ? '' : ` --data ${quote(toAscii(JSON.stringify(data)))}`;
  return `npx serverless invoke --function ${name}${options}${event}`;
}

/** The shell command that shows the errors in a function's log of the last day. */
export function logsCommand(name: string): string {
  return `npx serverless logs --function ${name}${options} --startTime 1d --filter ERROR`;
}

/** The words after `npx certrelay`; `undefined` if the event has a field that the command line has no word
 *  for. `report` needs none: the command line always asks for it. */
function findWords(
  name: CalledFunction,
  { report: _, ...event }: CalledEvent,
): readonly string[] | undefined {
  const fields = Object.keys(event).filter((key) => event[key] !== undefined);
  const has = (...allowed: readonly string[]) => fields.every((key) => allowed.includes(key));
  const names = textsOf(event.certificates);
  const dryRun = event.dryRun ? ['--dry-run'] : [];
  switch (name) {
    case 'status':
    case 'probe':
      return has('certificates') ? [name, ...names] : undefined;
    case 'issue':
      if (event.dryRun) return has('certificates', 'dryRun') ? ['plan', ...names] : undefined;
      return has('certificates', 'force')
        ? ['renew', ...names, ...(event.force ? ['--force'] : [])]
        : undefined;
    case 'deploy':
      return has('certificates', 'targets', 'clusters', 'dryRun', 'rollback', 'resume')
        ? [...deliveryWords(event, names), ...dryRun]
        : undefined;
    case 'pause':
      return has('certificates', 'resume') && names.length > 0
        ? [event.resume ? 'unpause' : 'pause', ...names]
        : undefined;
    case 'retire':
      if (event.restore)
        return has('restore', 'dryRun') ? ['restore', ...textsOf(event.restore), ...dryRun] : undefined;
      return has('certificates', 'dryRun') && names.length > 0 ? ['retire', ...names, ...dryRun] : undefined;
    case 'discover':
    case 'import':
    case 'export':
    case 'revoke':
    case 'notify':
      return undefined;
  }
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

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Whether a word stands for itself: it is no option of somebody's choice, and a terminal shows all of it. */
function isPlain(word: string): boolean {
  return word !== '' && /^[ -~]+$/.test(word) && (!word.startsWith('-') || ownOptions.has(word));
}

const ownOptions = new Set(['--dry-run', '--force', '--target', '--cluster']);

/** The text as one word of a POSIX shell. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The same JSON without quotes of the shell, and without characters that a terminal acts on or does not
 *  show. */
function toAscii(json: string): string {
  return json.replace(/[^ -~]|'/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
