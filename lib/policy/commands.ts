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
let region: string | undefined;

/** Says which installation the commands of this process are for. */
export function setCommandPlace({ stage, region: named }: InstallationPlace): void {
  const stageOption = stage === undefined || stage === defaultStage ? '' : ` --stage ${quote(stage)}`;
  region = named;
  options = `${stageOption}${named === undefined ? '' : ` --region ${quote(named)}`}`;
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

/** The shell command that deploys the stack, with the inventory as it is now. */
export function deployStackCommand(): string {
  return `npx serverless deploy${options}`;
}

/** The shell command that shows who wrote tags of AWS secrets with the name in the last 90 days. */
export function taggedByCommand(name: string): string {
  const place = region === undefined ? '' : ` --region ${quote(region)}`;
  const query = "--query 'Events[].[EventTime,Username,CloudTrailEvent]' --output text";
  return `aws cloudtrail lookup-events${place} --lookup-attributes AttributeKey=EventName,AttributeValue=TagResource ${query} | grep -F ${quoteWord(`/${name}`)}`;
}

/** The shell command that shows the agent of a cluster, and whether its pod runs. Its context is called as
 *  the cluster is in the inventory: a command that meant the current one could be for another cluster. */
export function agentStateCommand(cluster: string): string {
  return `${kubectl(cluster)} -n certrelay get deployments,cronjobs,pods -l ${agentLabel}`;
}

/** The shell command that shows the end of the log of a cluster's agent. */
export function agentLogsCommand(cluster: string): string {
  return `${kubectl(cluster)} -n certrelay logs -l ${agentLabel} --tail 50`;
}

/** The shell command that prints the part of the inventory that a cluster's agent needs. */
export function agentInventoryCommand(cluster: string): string {
  return `npx certrelay inventory --for-agent ${quote(cluster)}`;
}

/** The shell command that shows the workloads of a target's namespace and their pods; `undefined` for one in
 *  ACM.
 *  @param target As `nameDestination` writes it. */
export function workloadsCommand(target: string): string | undefined {
  const [cluster = '', namespace, secret] = target.split('/');
  if (cluster === 'acm' || !namespace || !secret) return undefined;
  return `${kubectl(cluster)} -n ${quote(namespace)} get deployments,statefulsets,daemonsets,pods`;
}

/** The label of the agent's pods, as in infra/agent. */
const agentLabel = 'app.kubernetes.io/name=certrelay-agent';

/** The shell command that gives a cluster's user the least rights that Certrelay needs there.
 *  @param user As the cluster calls it: of a ServiceAccount `system:serviceaccount:<namespace>:<name>`. */
export function rbacCommand(cluster: string, user: string): string {
  const account = /^system:serviceaccount:([\w.-]+):([\w.-]+)$/.exec(user);
  const bound = account ? `--service-account ${account[1]}/${account[2]}` : `--user ${quote(user)}`;
  return `npx certrelay rbac ${quote(cluster)} ${bound} | ${kubectl(cluster)} apply -f -`;
}

/** Whether a cluster's word for a user is told in a command: a name in one line that a shell does not act on
 *  in quotes, of 150 characters at most. */
export function isPlainUser(user: string): boolean {
  return /^[\w.:@/+=,-]{1,150}$/.test(user);
}

/** That command, for a plain user, if the text ends with it. `undefined` for any other text: a stranger may
 *  have written it. */
export function findRbacCommand(cluster: string, text: string): string | undefined {
  const bound =
    /npx certrelay rbac \S{1,200} --(?:service-account ([\w.-]+)\/([\w.-]+)|user ('?)([^\s']{1,150})\3) \| /;
  const [, namespace, name, , user = ''] = bound.exec(text.slice(-mostRead)) ?? [];
  const found = name === undefined ? user : `system:serviceaccount:${namespace}:${name}`;
  if (!isPlainUser(found)) return undefined;
  const command = rbacCommand(cluster, found);
  return text.endsWith(command) ? command : undefined;
}

/** Characters of a text that may be such a command. */
const mostRead = 600;

function kubectl(cluster: string): string {
  return `kubectl --context ${quote(cluster)}`;
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

/** The text as one word of bash, zsh and fish. In quotes fish takes a backslash before another one, or before
 *  the quote, for none. */
function quote(text: string): string {
  if (/^[\w.-]+$/.test(text)) return text;
  return `'${text.replace(/'|\\(?=[\\']|$)/g, (found) => (found === "'" ? `'\\''` : `'"\\\\"'`))}'`;
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
