// Extends `serverless`: builds before it packages or invokes, refuses an invalid schedule, gives each
// function exactly the rights that the inventory needs, and prints what is new before a deploy.
import { join } from 'node:path';
import type { StackProvider } from './deployed-stack.ts';
import type { Resources } from './permissions.ts';

/** The part of osls's object that this plugin uses. */
interface Serverless {
  readonly serviceDir: string;
  readonly processedInput: { readonly commands: readonly string[] };
  readonly service: {
    readonly functions: Readonly<Record<string, { environment?: Record<string, unknown> }>>;
    readonly provider: { environment?: Record<string, unknown>; logs?: unknown };
    /** Everything below `resources` in serverless.yml, merged. */
    readonly resources: { readonly Resources: Resources; Outputs?: Record<string, unknown> };
    /** Absent in a serverless.yml of an earlier version. */
    readonly custom?: { readonly roles?: RoleParameters; readonly accessLog?: string };
  };
  getProvider(name: 'aws'): StackProvider;
}

/** Parameters of serverless.yml about roles. */
interface RoleParameters {
  readonly hostedZones?: string;
  readonly acmImports?: string;
  readonly lastingRecords?: string;
}

/** The utilities that osls gives to plugins. */
interface Tools {
  readonly log: { notice(line: string): void; warning(line: string): void };
}

/** The plugin; osls loads it because serverless.yml names this file. */
export default class CertrelayPlugin {
  readonly hooks: Readonly<Record<string, () => void | Promise<void>>>;

  constructor(serverless: Serverless, _options: unknown, { log }: Tools) {
    const buildBundles = async () => {
      // Imported late, because osls loads this file by `require`, which cannot load build.ts.
      const { buildService } = await import('./build.ts');
      await buildService(serverless.serviceDir, join(serverless.serviceDir, 'dist'));
    };
    const printNews = async () => {
      const [{ describeNews, readChangelog }, { readDeployedStack: lookAtStack }] = await Promise.all([
        import('./changes.ts'),
        import('./deployed-stack.ts'),
      ]);
      const sections = await readChangelog();
      const provider = serverless.getProvider('aws');
      for (const line of describeNews(sections, await lookAtStack(provider))) log.notice(line);
      const { findWeakPasswords } = await import('./weak-passwords.ts');
      const { readInventory } = await import('./build.ts');
      const inventory = await readInventory(join(serverless.serviceDir, 'infra', 'certificates.yaml'));
      for (const line of await findWeakPasswords(inventory, provider)) log.warning(line);
    };
    const readDeployed = async () => {
      const { readTemplate } = await import('./deployed-stack.ts');
      return readTemplate(serverless.getProvider('aws'));
    };
    const prepareResources = async () => {
      const { resources } = serverless.service;
      const { Resources } = resources;
      resources.Outputs = { ...resources.Outputs, ...(await outputOf()) };
      const problems = checkSchedules(Resources);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      const { provider } = serverless.service;
      provider.environment = { ...provider.environment, ...intervalsOf(Resources) };
      const { readInventory } = await import('./build.ts');
      const { fillRoles, writesLastingRecords } = await import('./permissions.ts');
      const { keepsLastingRecords } = await import('./lasting-records.ts');
      const inventory = await readInventory(join(serverless.serviceDir, 'infra', 'certificates.yaml'));
      const { lastingRecords = 'auto', ...options } = serverless.service.custom?.roles ?? {};
      const keeps =
        !writesLastingRecords(inventory) && (await keepsLastingRecords(lastingRecords, readDeployed, log));
      fillRoles(Resources, inventory, { ...options, keepsLastingRecords: keeps });
    };
    this.hooks = {
      initialize: () => {
        const { service } = serverless;
        if (service.custom?.accessLog === 'none') delete service.provider.logs;
        if (serverless.processedInput.commands.join(' ') === 'invoke local') preferTerminal(serverless);
      },
      'before:package:createDeploymentArtifacts': buildBundles,
      'before:invoke:local:invoke': buildBundles,
      'before:package:initialize': prepareResources,
      'before:deploy:deploy': printNews,
    };
  }
}

/** Adds the output by which the next deploy knows what is new to the installation. */
async function outputOf(): Promise<Record<string, unknown>> {
  const { markOf, readChangelog } = await import('./changes.ts');
  const { markOutput } = await import('./deployed-stack.ts');
  const Description = 'How far the changelog went that was deployed';
  return { [markOutput]: { Description, Value: markOf(await readChangelog()) } };
}

/** Lets the terminal's environment variables win in `invoke local`, and leaves out variables that name a
 *  resource of the stack. Then a machine without an AWS account can run every function against other
 *  endpoints. */
function preferTerminal({ service }: Serverless): void {
  const environments = [service.provider, ...Object.values(service.functions)].map(
    (part) => part.environment,
  );
  for (const environment of environments) {
    if (!environment) continue;
    for (const [name, value] of Object.entries(environment)) {
      const ours = process.env[name];
      if (ours !== undefined) environment[name] = ours;
      else if (typeof value === 'object') delete environment[name];
    }
  }
}

/** One sentence for each schedule that is not a rate of 5 minutes or more. */
function checkSchedules(resources: Resources): readonly string[] {
  return Object.entries(resources)
    .filter(([, resource]) => resource.Type === 'AWS::Scheduler::Schedule')
    .flatMap(([name, { Properties }]) => {
      const problem = checkRate(Properties?.ScheduleExpression);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
}

const minutesOf = { minute: 1, hour: 60, day: 1440 } as const;

/** What is wrong with a rate, or `undefined`. Other expressions are refused, because their interval is
 *  unknown. */
function checkRate(expression: unknown): string | undefined {
  const minutes = readRate(expression);
  if (minutes === undefined)
    return `"${String(expression)}" must be like rate(6 hours), in minutes, hours or days`;
  return minutes < 5 ? `"${String(expression)}" must not be shorter than rate(5 minutes)` : undefined;
}

/** Minutes of a rate; `undefined` for other expressions. */
function readRate(expression: unknown): number | undefined {
  const match = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(String(expression));
  if (!match) return undefined;
  const unit = match[2] === 'minute' || match[2] === 'hour' ? match[2] : 'day';
  return Number(match[1]) * minutesOf[unit];
}

/** Environment variables that tell functions how often schedules call them (lib/settings/functions.ts). For a
 *  schedule with a condition that does not hold, CloudFormation writes an empty text, which counts as
 *  absent. */
function intervalsOf(resources: Resources): Readonly<Record<string, unknown>> {
  const schedules = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Scheduler::Schedule');
  return Object.fromEntries(
    schedules.map(([name, { Properties, Condition }]) => {
      const variable = `CERTRELAY_${name.replace(/Schedule$/, '').toUpperCase()}_INTERVAL_MINUTES`;
      const minutes = String(readRate(Properties?.ScheduleExpression) ?? '');
      return [variable, Condition === undefined ? minutes : { 'Fn::If': [Condition, minutes, ''] }];
    }),
  );
}
