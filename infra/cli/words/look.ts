// The commands that look and change nothing.
import { Option } from 'commander';
import type { CommandDefinition } from '../definitions.ts';

/** In the order of the help. */
export const lookCommands: readonly CommandDefinition[] = [
  {
    usage: 'status [name...]',
    description: 'how certificates and everything else stand, the worst first',
    group: 'look',
    options: [new Option('--watch [seconds]', 'show it again and again, until Ctrl-C')],
    example: 'status shop --watch',
    load: () => import('../commands/status.ts'),
  },
  {
    usage: 'why <name>',
    description: 'all about one certificate: order, targets, what is served, and who stopped what',
    group: 'look',
    example: 'why shop',
    load: () => import('../commands/why.ts'),
  },
  {
    usage: 'plan [name...]',
    description: 'what would be ordered and delivered now, and why',
    group: 'look',
    example: 'plan shop',
    load: () => import('../commands/plan.ts'),
  },
  {
    usage: 'list',
    description: 'every certificate with its names and targets, and what is being let go',
    group: 'look',
    example: 'list -o wide',
    load: () => import('../commands/list.ts'),
  },
  {
    usage: 'probe [name...]',
    description: 'look now at what is served under the names of certificates',
    group: 'look',
    example: 'probe shop',
    load: () => import('../commands/probe.ts'),
  },
];
