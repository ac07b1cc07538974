// Gives osls what the checks before a deploy have decided, before it resolves variables.
import type { DeployCall, Preparation } from './before-deploy.ts';

/** The part of osls's object that sets the configuration. */
export interface Extendable {
  /** Sets a part of the configuration, before its variables are resolved. */
  extendConfiguration(path: readonly string[], value: string): void;
}

/** The part of osls's object that says what was called. */
export interface Called {
  readonly serviceDir: string;
  readonly configurationFilename: string;
  readonly configurationInput: {
    readonly params?: Readonly<Record<string, unknown>>;
    readonly provider: { readonly region?: unknown };
  };
  readonly processedInput: {
    readonly commands: readonly string[];
    readonly options: Readonly<Record<string, unknown>>;
  };
}

/** What the checks need to know of a call. */
export function describeCall(
  { serviceDir, configurationFilename, configurationInput, processedInput }: Called,
  env: DeployCall['env'],
): DeployCall {
  return {
    command: processedInput.commands.join(' '),
    serviceDir,
    configurationFile: configurationFilename,
    params: configurationInput.params ?? {},
    configuredRegion: configurationInput.provider.region,
    options: processedInput.options,
    env,
  };
}

/** Sets prefix, region and what the installation keeps.
 *  @param params `params` of serverless.yml. */
export function applyPreparation(
  serverless: Extendable,
  { prefix, region, kept = {} }: Exclude<Preparation, { readonly refusal: string }>,
  { params }: Pick<DeployCall, 'params'>,
  stage: string,
): void {
  for (const [name, value] of Object.entries({ ...kept, prefix })) {
    // What serverless.yml says for the stage would count before its default.
    const isOfStage = Object.hasOwn(Object(params[stage]), name);
    for (const part of isOfStage ? ['default', stage] : ['default'])
      serverless.extendConfiguration(['params', part, name], value);
  }
  if (region !== undefined) serverless.extendConfiguration(['provider', 'region'], region);
}
