// Which installation a command is for, and how AWS is reached.
import { setCommandPlace } from '../../lib/policy/commands.ts';
import { defaultStage, formerRegion } from '../deploy/place.ts';
import { CommandError } from './errors.ts';
import type { CommandSession, CommonOptions } from './session.ts';

/** Where the functions of an installation are. */
export interface CalledPlace {
  /** Name of the stack, which the names of its functions begin with: `certrelay-prod`. */
  readonly stack: string;
  /** Absent: what the AWS profile says, else that of serverless.yml. */
  readonly region: string | undefined;
  /** URL of the Lambda API, in place of AWS's own. */
  readonly endpoint: string | undefined;
}

/** The service of serverless.yml. */
const service = 'certrelay';

/** Region if nobody says one, as in serverless.yml. */
export const defaultRegion = formerRegion;

/** The place that the options and the environment say.
 *  @throws CommandError `usage` if the options contradict each other, or cannot be parts of names. */
export function findPlace(
  options: Pick<CommonOptions, 'stage' | 'region' | 'installation' | 'endpointUrl'>,
  env: Readonly<Record<string, string | undefined>>,
): CalledPlace {
  const { stage, installation } = options;
  if (stage !== undefined && installation !== undefined)
    throw new CommandError('usage', '--stage and --installation name the same; leave one of them out');
  check('--stage', stage, /^[A-Za-z0-9-]{1,40}$/, 'such as prod');
  check('--installation', installation, /^[A-Za-z0-9-]{1,60}$/, 'such as certrelay-prod');
  check('--region', options.region, /^[a-z0-9-]{1,30}$/, 'such as eu-central-1');
  const region = options.region ?? set(env.AWS_REGION) ?? set(env.AWS_DEFAULT_REGION);
  const endpoint = options.endpointUrl ?? set(env.AWS_ENDPOINT_URL_LAMBDA) ?? set(env.AWS_ENDPOINT_URL);
  if (endpoint !== undefined && !isHttp(endpoint))
    throw new CommandError(
      'usage',
      `the endpoint must be a URL with http or https, such as http://127.0.0.1:4566`,
    );
  return { stack: findStack(stage, installation), region, endpoint };
}

/** Has the commands that messages show be for the installation that the options say. */
export function placeCommands({ options, terminal }: Pick<CommandSession, 'options' | 'terminal'>): void {
  setCommandPlace({ stage: stageOf(findPlace(options, terminal.env)), region: options.region });
}

/** The stage of the stack; `undefined` if its name does not say one. */
export function stageOf({ stack }: Pick<CalledPlace, 'stack'>): string | undefined {
  return stack.startsWith(`${service}-`) ? stack.slice(service.length + 1) : undefined;
}

/** The prefix of the default stage is the service's name alone, and `status` calls the installation so. */
function findStack(stage: string | undefined, installation: string | undefined): string {
  if (installation === undefined) return `${service}-${stage ?? defaultStage}`;
  return installation === service ? `${service}-${defaultStage}` : installation;
}

function check(option: string, value: string | undefined, pattern: RegExp, example: string): void {
  if (value !== undefined && !pattern.test(value))
    throw new CommandError('usage', `${option} must be a name ${example}, not ${JSON.stringify(value)}`);
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
