// The commands that look and change nothing.
import { Option } from 'commander';
import type { CommandDefinition } from '../definitions.ts';

/** In the order of the help. */
export const lookCommands: readonly CommandDefinition[] = [
  {
    usage: 'status [name...]',
    description: 'how certificates and everything else stand, the worst first',
    options: [new Option('--watch [seconds]', 'show it again and again, until Ctrl-C')],
    example: 'status shop --watch',
    load: () => import('../commands/status.ts'),
  },
  {
    usage: 'why <name>',
    description:
      'all about one certificate (order, targets, what is served, who stopped what), or cluster/prod',
    example: 'why shop',
    load: () => import('../commands/why.ts'),
  },
  {
    usage: 'plan [name...]',
    description: 'what would be ordered and delivered now, and why',
    example: 'plan shop',
    load: () => import('../commands/plan.ts'),
  },
  {
    usage: 'list',
    description: 'every certificate with its names and targets, and what is being let go',
    example: 'list -o wide',
    load: () => import('../commands/list.ts'),
  },
  {
    usage: 'probe [name...]',
    description: 'look now at what is served under the names of certificates',
    example: 'probe shop',
    load: () => import('../commands/probe.ts'),
  },
  {
    usage: 'forecast',
    description: 'what will be ordered, delivered and paid in the next time',
    options: [
      new Option('--for <time>', 'how long, such as 90d or 52w').default('90d'),
      new Option('--from <day>', 'from when on, such as 2028-02-16; without it: now'),
      new Option('--lifetime <time>', 'what every CA is assumed to give from then on, such as 45d'),
      new Option('--reuse <time>', 'for how long it is assumed to reuse a validation, such as 7h'),
    ],
    example: 'forecast --for 90d --from 2028-02-16 --lifetime 45d --reuse 7h',
    load: () => import('../commands/forecast.ts'),
  },
];
