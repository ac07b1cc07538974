// The words of the command line: each command with its options. What a command does is loaded when it runs.
import { Option } from 'commander';
import type { ExitCode } from './errors.ts';
import type { CommandSession, CommonOptions } from './session.ts';

/** The options that a command was given: the common ones, and its own as commander gives them. */
export type CommandOptions = CommonOptions & Readonly<Record<string, unknown>>;

/** Runs a command. `values`: its arguments in their order, as commander gives them; a list for `name...`. */
export type RunCommand = (
  session: CommandSession,
  values: readonly unknown[],
  options: CommandOptions,
) => Promise<ExitCode>;

/** One command. */
export interface CommandDefinition {
  /** Its name and arguments. */
  readonly usage: string;
  readonly description: string;
  /** Heading in the help. */
  readonly group: string;
  readonly options?: readonly Option[];
  /** Words after `npx certrelay`. */
  readonly example?: string;
  readonly load: () => Promise<{ readonly run: RunCommand }>;
}

const look = 'Look:';
const act = 'Act:';

const dryRun = new Option('--dry-run', 'only say what would be done');

/** All commands, in the order of the help. */
export const commands: readonly CommandDefinition[] = [
  {
    usage: 'status [name...]',
    description: 'how certificates and everything else stand, the worst first',
    group: look,
    options: [new Option('--watch [seconds]', 'show it again and again, until Ctrl-C')],
    example: 'status shop --watch',
    load: () => import('./commands/status.ts'),
  },
  {
    usage: 'plan [name...]',
    description: 'what would be ordered and delivered now, and why; changes nothing',
    group: look,
    example: 'plan shop',
    load: () => import('./commands/plan.ts'),
  },
  {
    usage: 'renew [name...]',
    description: 'order what is due, of these certificates or of all',
    group: act,
    options: [new Option('--force', 'order the one certificate although it is not due'), dryRun],
    example: 'renew shop --force',
    load: () => import('./commands/renew.ts'),
  },
  {
    usage: 'deploy [name...]',
    description: 'bring stored certificates to their targets',
    group: act,
    options: [
      new Option('--target <target...>', 'only these, such as prod/shop/shop-tls'),
      new Option('--cluster <name...>', 'only these clusters'),
      dryRun,
    ],
    example: 'deploy shop',
    load: () => import('./commands/deploy.ts'),
  },
];
