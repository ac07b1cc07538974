// Decides the region and the prefix of a deploy. An installation that exists keeps both; a new one is asked
// for its region, and gets a prefix of its own under each stage. Nothing is guessed.
import type { DeployedInstallation } from './deployed-stack.ts';
import type { RememberedParameters } from './kept-parameters.ts';
import type { NoticeParameters } from './notice-parameters.ts';

/** What whoever deploys has said. */
export interface PlaceRequest {
  /** Name of the stack, such as `certrelay-prod`. */
  readonly stack: string;
  readonly stage: string;
  /** From `--region`, the environment or serverless.yml; absent: nobody said one. */
  readonly region?: string | undefined;
  readonly prefix?: string | undefined;
  /** `--param="moved=yes"`: another region or prefix than the deployed one is meant. */
  readonly isMove: boolean;
}

/** Where to deploy; or why not, with what to do. `eventBus`: the bus where nobody says one; empty: none.
 *  `alarmEmail`, `alarmTopic`: where alarms go until now. `note` is one line to print. */
export type Place =
  | ({
      readonly region: string;
      readonly prefix: string;
      readonly eventBus: string;
      readonly note?: string;
      /** What the installation was given by `--param` alone; absent: nothing. */
      readonly remembered?: RememberedParameters | undefined;
    } & NoticeParameters)
  | { readonly refusal: string };

/** The stage of whoever says none, whose installation has the prefix `certrelay`. */
export const defaultStage = 'dev';

/** Region of every deploy that said none, before new installations were asked for theirs. */
export const formerRegion = 'eu-central-1';

/** Where a deploy goes. Looks into the region that was said, and if nothing is there or none was said, into
 *  `formerRegion`.
 *  @param look What is deployed in a region under the name of the stack. */
export async function decidePlace(
  request: PlaceRequest,
  look: (region: string) => Promise<DeployedInstallation>,
): Promise<Place> {
  const region = request.region ?? formerRegion;
  const found = await look(region);
  if (found.kind === 'there') return keepPlace(request, region, found);
  if (found.kind === 'unknown') return trustRequest(request, found.problem);
  if (request.region === undefined) return { refusal: askForRegion(request) };
  const fresh = { region, prefix: request.prefix ?? prefixOf(request.stage), eventBus: 'default' };
  if (region === formerRegion || !isOrdinary(region)) return fresh;
  const former = await look(formerRegion);
  if (former.kind === 'absent') return fresh;
  if (former.kind === 'unknown')
    return trustRequest(request, `whether it is in ${formerRegion}: ${former.problem}`);
  if (!request.isMove) return { refusal: refuseRegion(request, region) };
  return keepPlace(request, region, former);
}

/** The installation keeps its prefix, unless another one is meant. */
function keepPlace(
  { stack, prefix, isMove }: PlaceRequest,
  region: string,
  found: Extract<DeployedInstallation, { readonly kind: 'there' }>,
): Place {
  const { prefix: deployed, eventBus, alarmEmail, alarmTopic, remembered } = found;
  if (prefix === undefined && deployed === undefined) {
    const refusal = `which prefix the stack ${stack} in ${region} has cannot be read from its template; say it: --param="prefix=…"`;
    return { refusal };
  }
  if (prefix !== undefined && deployed !== undefined && prefix !== deployed && !isMove) {
    const refusal = [
      `the stack ${stack} in ${region} keeps its AWS secrets under "${deployed}", and this deploy says prefix "${prefix}": it would`,
      `order every certificate again and leave what is under "${deployed}" where it is. Leave the parameter out, or say`,
      '--param="moved=yes" if you mean that.',
    ].join('\n');
    return { refusal };
  }
  // Alarms reach only topics of their own region.
  const near = alarmTopic?.split(':')[3] === region ? alarmTopic : undefined;
  return { region, prefix: prefix ?? deployed ?? '', eventBus, alarmEmail, alarmTopic: near, remembered };
}

/** Where nobody can look, only what was said counts. */
function trustRequest({ stack, region, prefix }: PlaceRequest, problem: string): Place {
  if (region !== undefined && prefix !== undefined) {
    return {
      region,
      prefix,
      eventBus: '',
      note: `Whether ${stack} is deployed already could not be looked at (${problem}). If it is, say eventBus, alarmEmail or alarmTopic, and what else it got by --param, again: else it loses them.`,
    };
  }
  const refusal = [
    `whether ${stack} is deployed already cannot be looked at (${problem}), so its region and its prefix are unknown, and`,
    'another one would order every certificate again. Say both, such as --region eu-central-1 --param="prefix=certrelay", or',
    'use credentials that may call cloudformation:GetTemplate.',
  ].join('\n');
  return { refusal };
}

function askForRegion({ stack, stage }: PlaceRequest): string {
  return [
    `no stack ${stack} is in ${formerRegion}, so this is a new installation, or one in another region. Say which region:`,
    `  npx serverless deploy${stage === defaultStage ? '' : ` --stage ${stage}`} --region <region>`,
    'or set AWS_REGION in your terminal, which the other commands read, too.',
  ].join('\n');
}

function refuseRegion({ stack }: PlaceRequest, region: string): string {
  return [
    `the stack ${stack} is deployed in ${formerRegion}, and this deploy goes to ${region}: a second installation there would`,
    `order every certificate again. Say --region ${formerRegion} to go on with the first, or --param="moved=yes" if you mean a second.`,
  ].join('\n');
}

/** Prefix of a new installation. */
export function prefixOf(stage: string): string {
  return stage === defaultStage ? 'certrelay' : `certrelay-${stage}`;
}

/** Whether credentials for the region are good in `formerRegion`, too. Regions of China, GovCloud, the
 *  European Sovereign Cloud and the isolated partitions have accounts of their own. */
function isOrdinary(region: string): boolean {
  return !/^(cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc)-/.test(region);
}
