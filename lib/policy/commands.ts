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

/** Which installation commands are for. What is absent, or the default of serverless.yml, is not named. */
export interface InstallationPlace {
  /** As in `serverless deploy --stage`. */
  readonly stage?: string | undefined;
  /** The AWS region of the stack. */
  readonly region?: string | undefined;
}

/** What serverless.yml takes for a command that names neither. */
const defaults = { stage: 'dev', region: 'eu-central-1' } as const;

// Set as a function starts: a process belongs to one installation, and messages begin in many places.
let options = '';

/** Says which installation the commands of this process are for. */
export function setCommandPlace({ stage, region }: InstallationPlace): void {
  const stageOption = stage === undefined || stage === defaults.stage ? '' : ` --stage ${quote(stage)}`;
  const isDefault = region === undefined || region === defaults.region;
  options = `${stageOption}${isDefault ? '' : ` --region ${quote(region)}`}`;
}

/** The shell command that calls a function with an event; without `data`, with none. */
export function invokeCommand(name: CalledFunction, data?: Readonly<Record<string, unknown>>): string {
  const event = data === undefined ? '' : ` --data ${quote(toAscii(JSON.stringify(data)))}`;
  return `npx serverless invoke --function ${name}${options}${event}`;
}

/** The shell command that shows the errors in a function's log of the last day. */
export function logsCommand(name: string): string {
  return `npx serverless logs --function ${name}${options} --startTime 1d --filter ERROR`;
}

/** The text as one word of a POSIX shell. */
function quote(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The same JSON without quotes of the shell, and without characters that a terminal acts on or does not
 *  show. */
function toAscii(json: string): string {
  return json.replace(/[^ -~]|'/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
