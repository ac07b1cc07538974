// The commands that messages show. Each can be pasted into a shell as it stands.
import { type CalledEvent, findWords } from './command-words.ts';

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
  if (words) return `npx certrelay ${words.map(quoteWord).join(' ')}${options}`;
  const event = data === undefined ? '' : ` --data ${quote(toAscii(JSON.stringify(data)))}`;
  return `npx serverless invoke --function ${name}${options}${event}`;
}

/** The shell command that shows the errors in a function's log of the last day. */
export function logsCommand(name: string): string {
  return `npx serverless logs --function ${name}${options} --startTime 1d --filter ERROR`;
}

/** The shell command that removes the stack. */
export function removeCommand(): string {
  return `npx serverless remove${options}`;
}

/** The shell command that schedules the deletion of every AWS secret under the prefix. */
export function deleteAwsSecretsCommand(prefix: string, region: string): string {
  const place = `--region ${quote(region)}`;
  const names = `aws secretsmanager list-secrets ${place} --filters ${quote(`Key=name,Values=${prefix}/`)} --query 'SecretList[].[Name]' --output text`;
  return `${names} | xargs -n 1 aws secretsmanager delete-secret ${place} --recovery-window-in-days 30 --secret-id`;
}

/** The shell command that deletes every Kubernetes Secret of ours in a cluster. */
export function deleteKubernetesSecretsCommand(): string {
  return 'kubectl delete secrets --all-namespaces --selector app.kubernetes.io/managed-by=certrelay';
}

/** The shell command that lists the certificates that were imported into ACM in a region. */
export function listImportsCommand(region: string): string {
  return `aws resourcegroupstaggingapi get-resources --region ${quote(region)} --resource-type-filters acm:certificate --tag-filters Key=certrelay:certificate`;
}

/** The shell command that deletes a stack of CloudFormation. */
export function deleteStackCommand(name: string): string {
  return `aws cloudformation delete-stack --stack-name ${quote(name)}`;
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

/** A word of a command: names of targets need no quotes. */
function quoteWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : quote(word);
}
