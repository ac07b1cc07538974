// Extends `serverless`: builds before it packages or invokes, refuses an invalid schedule, gives each
// function exactly the rights that the inventory needs, and prints what is new before a deploy.
import { join, resolve } from 'node:path';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { Resources } from '../template/permissions.ts';
import { checkSchedules, intervalsOf } from '../template/schedules.ts';
import type { StackProvider } from './deployed-stack.ts';
import type { RememberedParameters } from './kept-parameters.ts';
import type { NoticeParameters } from './notice-parameters.ts';
import type { Called, Extendable } from './preparation.ts';
import { preferTerminal } from './terminal-environment.ts';

/** The part of osls's object that this plugin uses. */
interface Serverless extends Called, Extendable {
  readonly processedInput: Called['processedInput'] & { readonly isHelpRequest: boolean };
  /** `Error`: osls prints its message alone, without a stack trace. */
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly service: {
    readonly functions: Readonly<
      Record<
        string,
        {
          readonly name?: string;
          readonly role?: string;
          readonly vpc?: unknown;
          readonly events?: readonly object[];
          environment?: Record<string, unknown>;
        }
      >
    >;
    readonly provider: { environment?: Record<string, unknown>; logs?: unknown; vpc?: unknown };
    /** Everything below `resources` in serverless.yml, merged. */
    readonly resources: {
      readonly Resources: Resources;
      readonly Parameters?: Readonly<Record<string, { Default?: unknown }>>;
      Outputs?: Record<string, unknown>;
      Metadata?: Readonly<Record<string, unknown>>;
    };
    /** Absent in a serverless.yml of an earlier version. */
    readonly custom?: {
      readonly roles?: RoleParameters;
      readonly notices?: NoticeParameters;
      readonly accessLog?: string;
    };
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
  /** osls awaits it before it resolves the variables of serverless.yml. */
  readonly asyncInit: () => Promise<void>;

  constructor(serverless: Serverless, _options: unknown, { log }: Tools) {
    const buildBundles = async () => {
      // Imported late, because osls loads this file by `require`, which cannot load build.ts.
      const { buildService } = await import('../build/build.ts');
      await buildService(serverless.serviceDir, join(serverless.serviceDir, 'dist'));
    };
    const refreshBundles = async () => {
      const { buildIfChanged } = await import('../build/fresh-build.ts');
      // The functions will read this one, and the shipped one has no agreement to a CA's terms yet.
      const own = process.env.CERTRELAY_INVENTORY;
      const file = own && resolve(serverless.serviceDir, own);
      const inventory = file ? { file, isReadAtRunTime: true } : undefined;
      await buildIfChanged(serverless.serviceDir, join(serverless.serviceDir, 'dist'), inventory);
    };
    const readOwnInventory = async (): Promise<Inventory> => {
      const { readInventory } = await import('../inventory/read-inventory.ts');
      const file = join(serverless.serviceDir, 'infra', 'certificates.yaml');
      return readInventory(file, prefixOf(serverless)).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        throw new serverless.classes.Error(message, 'CERTRELAY_INVENTORY');
      });
    };
    const readDeployed = async () => {
      const { readTemplate } = await import('./deployed-stack.ts');
      return readTemplate(serverless.getProvider('aws'));
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
      const { fillPrefix } = await import('../../lib/inventory/prefix.ts');
      const prefix = prefixOf(serverless);
      const inventory = await readOwnInventory();
      const filled = prefix === undefined ? inventory : fillPrefix(inventory, prefix);
      for (const line of await findWeakPasswords(filled, provider)) log.warning(line);
      const { beginMetrics } = await import('./first-metrics.ts');
      const problem = await beginMetrics(provider, prefix, readDeployed);
      if (problem !== undefined) log.warning(problem);
    };
    const prepareResources = async () => {
      const { resources } = serverless.service;
      const { Resources, Parameters } = resources;
      for (const parameter of Object.values(Parameters ?? {}))
        if (parameter?.Default === 'none') parameter.Default = '';
      resources.Outputs = { ...resources.Outputs, ...(await outputOf()) };
      const { writeRemembered } = await import('./kept-parameters.ts');
      resources.Metadata = { ...resources.Metadata, ...writeRemembered(remembered) };
      const problems = checkSchedules(Resources);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      const { provider } = serverless.service;
      provider.environment = { ...provider.environment, ...intervalsOf(Resources) };
      const { fillRoles } = await import('../template/permissions.ts');
      const { keepsLastingRecords, writesLastingRecords } = await import('../template/lasting-records.ts');
      const inventory = await readOwnInventory();
      const { findNoticeProblems } = await import('./notice-parameters.ts');
      const { findKeyProblems } = await import('./kms-key.ts');
      const wrong = [
        ...findNoticeProblems(serverless.service.custom?.notices ?? {}, inventory),
        ...findKeyProblems(inventory, serverless.getProvider('aws').getRegion()),
      ];
      if (wrong.length > 0) throw new serverless.classes.Error(wrong.join('\n'), 'CERTRELAY_REFUSED');
      const { lastingRecords = 'auto', ...options } = serverless.service.custom?.roles ?? {};
      const keeps =
        !writesLastingRecords(inventory) && (await keepsLastingRecords(lastingRecords, readDeployed, log));
      fillRoles(Resources, inventory, { ...options, keepsLastingRecords: keeps });
      const { allowVpc } = await import('../template/vpc.ts');
      allowVpc(Resources, serverless.service);
      const { fillAlarms } = await import('../template/alarms.ts');
      const { setCommandPlace } = await import('../../lib/policy/commands.ts');
      const deployer = serverless.getProvider('aws');
      setCommandPlace({ stage: deployer.getStage(), region: deployer.getRegion() });
      fillAlarms(Resources, queueFunctions(serverless.service.functions));
      const { fillDashboard } = await import('../template/dashboard.ts');
      fillDashboard(Resources, prefixOf(serverless) ?? '', Object.keys(serverless.service.functions));
    };
    let remembered: RememberedParameters = {};
    this.asyncInit = async () => {
      remembered = await prepare(serverless, log);
    };
    this.hooks = {
      initialize: () => {
        const { service } = serverless;
        if (service.custom?.accessLog === 'none') delete service.provider.logs;
        if (serverless.processedInput.commands.join(' ') === 'invoke local') preferTerminal(service);
      },
      'before:package:createDeploymentArtifacts': buildBundles,
      'before:invoke:local:invoke': refreshBundles,
      'before:package:initialize': prepareResources,
      'before:deploy:deploy': printNews,
      // Behind what osls itself prints.
      finalize: () => finish(serverless, log),
    };
  }
}

/** The prefix of the installation, once variables are resolved. */
function prefixOf({ service }: Serverless): string | undefined {
  const prefix = service.provider.environment?.CERTRELAY_PREFIX;
  return typeof prefix === 'string' ? prefix : undefined;
}

/** Commands that make a template or change functions, whose parameters, region and prefix must be right. */
const deploying = ['deploy', 'deploy function', 'package'];

/** Checks the call before anything is built, and sets region, prefix and what the installation keeps. Returns
 *  what the template is to remember.
 *  @throws osls's error with everything that is wrong. */
async function prepare(serverless: Serverless, log: Tools['log']): Promise<RememberedParameters> {
  const { applyPreparation, describeCall } = await import('./preparation.ts');
  const call = describeCall(serverless, process.env);
  const provider = serverless.getProvider('aws');
  const isChecked = !serverless.processedInput.isHelpRequest && deploying.includes(call.command);
  const { prepareDeploy, preparePrefix } = await import('./before-deploy.ts');
  const prepared = await (isChecked ? prepareDeploy(call, provider) : preparePrefix(call, provider));
  if ('refusal' in prepared) throw new serverless.classes.Error(prepared.refusal, 'CERTRELAY_REFUSED');
  const { remembered = {}, notes = [] } = prepared;
  for (const note of notes) log.notice(note);
  applyPreparation(serverless, prepared, call, provider.getStage());
  return remembered;
}

/** After a deploy that went well, says what is there and what to call next; after a removal, what stays. */
async function finish(serverless: Serverless, log: Tools['log']): Promise<void> {
  const command = serverless.processedInput.commands.join(' ');
  if (command === 'remove') {
    const { finishRemoval } = await import('./uninstall.ts');
    const lines = await finishRemoval(
      serverless.getProvider('aws'),
      prefixOf(serverless),
      serverless.serviceDir,
    );
    for (const line of lines) log.notice(line);
  }
  if (command !== 'deploy') return;
  const [{ finishDeploy }, { readInventory }] = await Promise.all([
    import('./after-deploy.ts'),
    import('../inventory/read-inventory.ts'),
  ]);
  const file = join(serverless.serviceDir, 'infra', 'certificates.yaml');
  // After `deploy --package` it may be another one than was packaged, with mistakes, too.
  const hasRegistration = await readInventory(file).then(
    ({ registration }) => registration !== undefined,
    () => true,
  );
  const statusFunction = serverless.service.functions.status?.name ?? '';
  const service = { statusFunction, hasRegistration };
  const { describeMail } = await import('./notice-parameters.ts');
  const lines = await finishDeploy(serverless.getProvider('aws'), service);
  for (const line of [...describeMail(serverless.service.custom?.notices ?? {}), ...lines]) log.notice(line);
}

/** Names of the functions that read a queue. */
function queueFunctions(functions: Serverless['service']['functions']): readonly string[] {
  return Object.entries(functions).flatMap(([name, { events = [] }]) =>
    events.some((event) => 'sqs' in event) ? [name] : [],
  );
}

/** Adds the output by which the next deploy knows what is new to the installation. */
async function outputOf(): Promise<Record<string, unknown>> {
  const { markOf, readChangelog } = await import('./changes.ts');
  const { markOutput } = await import('./deployed-stack.ts');
  const Description = 'How far the changelog went that was deployed';
  return { [markOutput]: { Description, Value: markOf(await readChangelog()) } };
}
