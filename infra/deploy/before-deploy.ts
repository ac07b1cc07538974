// Everything that a deploy checks before it builds: parameters, credentials, and where the installation is.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { checkCredentials } from './credentials.ts';
import {
  type DeployedInstallation,
  describeAwsError,
  findInstallation,
  readInstallation,
  type StackProvider,
} from './deployed-stack.ts';
import {
  describeKept,
  findForgetProblems,
  keepParameters,
  type RememberedParameters,
} from './kept-parameters.ts';
import { keepNotices } from './notice-parameters.ts';
import {
  collectParameters,
  countingValue,
  findParameterProblems,
  type GivenParameter,
  readKnownParameters,
} from './parameters.ts';
import { decidePlace, defaultStage, formerRegion, type Place, type PlaceRequest, prefixOf } from './place.ts';
import { refuseAtOnce } from './refusal.ts';

/** What the checks need to know of a call of osls. */
export interface DeployCall {
  /** Words of the command, such as `deploy`, `package` or `deploy function`. */
  readonly command: string;
  readonly serviceDir: string;
  readonly configurationFile: string;
  /** `params` of the configuration file. */
  readonly params: Readonly<Record<string, unknown>>;
  /** `provider.region` of the configuration file; it may be a variable. */
  readonly configuredRegion: unknown;
  /** Options of the command line. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Prefix, region (absent: the one that serverless.yml says), parameters that nobody said and that the
 *  installation keeps, what the template remembers of this call, and lines to print; or why the call is
 *  refused. */
export type Preparation =
  | {
      readonly prefix: string;
      readonly region?: string;
      readonly kept?: Readonly<Record<string, string>>;
      readonly remembered?: RememberedParameters;
      readonly notes?: readonly string[];
    }
  | { readonly refusal: string };

/** Checks a deploy. Never throws for a wrong call.
 *  @param provider Its stage and credentials are read; its region may not be decided yet. */
export async function prepareDeploy(call: DeployCall, provider: StackProvider): Promise<Preparation> {
  const stage = provider.getStage();
  const given = collectParameters(call.params, stage, listOf(call.options.param));
  const known = readKnownParameters(call.serviceDir, call.configurationFile);
  const problems = [...findParameterProblems(given, known), ...findForgetProblems(given, known)];
  const request = await readRequest(call, given, provider);
  const [email, topic] = ['alarmEmail', 'alarmTopic'].map((name) => countingValue(given, name));
  const place = await findPlace(call, request, provider);
  if (problems.length > 0 || 'refusal' in place) {
    const { region, prefix } = request;
    const refusal = await refuseAtOnce({
      problems: [...problems, ...('refusal' in place ? [place.refusal] : [])],
      stage,
      region,
      prefix: 'refusal' in place ? prefix : place.prefix,
      notices: { alarmEmail: email, alarmTopic: topic },
      inventory: join(call.serviceDir, 'infra', 'certificates.yaml'),
    });
    return { refusal };
  }
  const { eventBus, alarmEmail, alarmTopic, note, remembered: deployed = {}, ...rest } = place;
  const alarms = keepNotices({ alarmEmail: email, alarmTopic: topic }, { alarmEmail, alarmTopic });
  const bus = countingValue(given, 'eventBus') === undefined ? { eventBus } : {};
  const { kept, remembered, problems: lost } = keepParameters(given, deployed, known);
  // A package has the parameters that it was made with.
  const ofParameters =
    call.options.package === undefined ? [...describeKept({ ...alarms, ...kept }), ...lost] : [];
  const notes = [...(note === undefined ? [] : [note]), ...ofParameters];
  return { ...rest, kept: { ...bus, ...alarms, ...kept }, remembered, notes };
}

/** Where the deploy goes, once AWS knows who deploys. Without credentials nobody can look whether the
 *  installation is a new one, which must say its region. */
async function findPlace(call: DeployCall, request: PlaceRequest, provider: StackProvider): Promise<Place> {
  const region = request.region ?? formerRegion;
  if (call.command.startsWith('deploy')) {
    const known = await checkCredentials(() => provider.getAwsSdkV3Config({ region }));
    const isNew =
      'a new installation must say its region, too: --region <region>, or AWS_REGION in your terminal';
    if ('refusal' in known)
      return request.region === undefined ? { refusal: `${known.refusal}\n${isNew}` } : known;
  }
  return decidePlace(request, (where) => lookInto(provider, request.stack, where));
}

/** The prefix for every other command. Only `invoke local` uses it, unless the terminal has CERTRELAY_PREFIX:
 *  under the default stage without looking, under others that of the deployed stack. */
export async function preparePrefix(call: DeployCall, provider: StackProvider): Promise<Preparation> {
  const stage = provider.getStage();
  const said =
    call.env.CERTRELAY_PREFIX ??
    countingValue(collectParameters(call.params, stage, listOf(call.options.param)), 'prefix');
  if (said !== undefined || stage === defaultStage || call.command !== 'invoke local')
    return { prefix: said ?? prefixOf(stage) };
  const [stack, region] = [provider.naming.getStackName(), findRegion(call) ?? formerRegion];
  const found = await lookInto(provider, stack, region);
  if (found.kind === 'there' && found.prefix !== undefined) return { prefix: found.prefix };
  const why =
    found.kind === 'unknown'
      ? `the stack ${stack} cannot be looked at (${found.problem})`
      : `no stack ${stack} is in ${region}`;
  return {
    refusal: `${why}, so the prefix of its AWS secrets is unknown; set CERTRELAY_PREFIX in your terminal`,
  };
}

/** What a region has of the installation. */
async function lookInto(
  provider: StackProvider,
  stack: string,
  region: string,
): Promise<DeployedInstallation> {
  try {
    const client = new CloudFormationClient(await provider.getAwsSdkV3Config({ region }));
    const found = await findInstallation(client, stack);
    client.destroy();
    return found;
  } catch (error) {
    return { kind: 'unknown', problem: describeAwsError(error) };
  }
}

async function readRequest(
  call: DeployCall,
  given: readonly GivenParameter[],
  provider: StackProvider,
): Promise<PlaceRequest> {
  return {
    stack: provider.naming.getStackName(),
    stage: provider.getStage(),
    region: findRegion(call),
    prefix: (await readPackagedPrefix(call)) ?? countingValue(given, 'prefix'),
    isMove: countingValue(given, 'moved') === 'yes',
  };
}

/** The prefix of what was packaged before (`deploy --package <folder>`), which no parameter changes. */
async function readPackagedPrefix({ command, serviceDir, options }: DeployCall): Promise<string | undefined> {
  if (command !== 'deploy' || typeof options.package !== 'string') return undefined;
  const file = join(serviceDir, options.package, 'cloudformation-template-update-stack.json');
  // A folder that does not exist is osls's to refuse.
  const packaged = readInstallation(await readFile(file, 'utf8').catch(() => ''));
  return packaged.kind === 'there' ? packaged.prefix : undefined;
}

/** The region that somebody has said, as serverless.yml takes it: by option, by environment, or by a default
 *  other than the one that it was shipped with. */
export function findRegion({
  options,
  env,
  configuredRegion,
}: Pick<DeployCall, 'options' | 'env' | 'configuredRegion'>): string | undefined {
  const said = [options.region, env.AWS_REGION, env.AWS_DEFAULT_REGION].find(
    (one) => typeof one === 'string' && one !== '',
  );
  if (typeof said === 'string') return said;
  const configured = typeof configuredRegion === 'string' ? configuredRegion : '';
  const [, fallback = ''] = /^\$\{.*'([^']*)' *\}$/.exec(configured) ?? [undefined, configured];
  return fallback === '' || fallback === formerRegion || fallback.includes('${') ? undefined : fallback;
}

function listOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}
