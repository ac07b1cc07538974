// The commands that change something about certificates.
import { Option } from 'commander';
import { revocationReasons } from '../../../lib/certificate/revocation.ts';
import type { CommandDefinition } from '../definitions.ts';
import { dryRun } from './dry-run.ts';

const yes = new Option('--yes', 'do not ask for the name');

/** Where the webhook is, if the stack and its AWS secret are not to say it. */
const webhook = [
  new Option('--url <url>', 'of the webhook (default: that of the stack)'),
  new Option('--secret-file <path>', 'with what it is signed (default: the AWS secret of the installation)'),
];

/** In the order of the help. */
export const actCommands: readonly CommandDefinition[] = [
  {
    usage: 'renew [name...]',
    description: 'order what is due, of these certificates or of all',
    options: [new Option('--force', 'order the one certificate although it is not due'), dryRun],
    example: 'renew shop --force',
    load: () => import('../commands/renew.ts'),
  },
  {
    usage: 'deploy [name...]',
    description: 'bring stored certificates to their targets',
    options: [
      new Option('--target <target...>', 'only these, such as prod/shop/shop-tls'),
      new Option('--cluster <name...>', 'only these clusters'),
      dryRun,
    ],
    example: 'deploy shop',
    load: () => import('../commands/deploy.ts'),
  },
  {
    usage: 'pause <name...>',
    description: 'order these no more until somebody says "unpause"',
    options: [
      new Option('--until <time>', 'or until then, such as 7d or 2026-12-24'),
      new Option('--reason <words>', 'for those who read it later'),
      dryRun,
    ],
    example: 'pause shop --until 7d --reason "moves to another CA"',
    load: () => import('../commands/pause.ts'),
  },
  {
    usage: 'unpause <name...>',
    description: 'order these again',
    options: [dryRun],
    example: 'unpause shop',
    load: () => import('../commands/unpause.ts'),
  },
  {
    usage: 'ack <name...>',
    description: 'say that a trouble is known: of a certificate, or as cluster/prod',
    options: [
      new Option('--for <time>', 'such as 12h or 7d; 0h ends it').makeOptionMandatory(),
      new Option('--reason <words>', 'for those who read it later'),
      dryRun,
    ],
    example: 'ack shop --for 7d --reason "waits for the new zone"',
    load: () => import('../commands/ack.ts'),
  },
  {
    usage: 'rollback <name...>',
    description: 'put the version before back, and deliver the current one no more',
    options: [dryRun],
    example: 'rollback shop',
    load: () => import('../commands/rollback.ts'),
  },
  {
    usage: 'resume <name...>',
    description: 'deliver a version again that was stopped',
    options: [dryRun],
    example: 'resume shop',
    load: () => import('../commands/resume.ts'),
  },
  {
    usage: 'retire <name...>',
    description: 'let certificates go; Secrets stay unless a cluster says prune; 30 days to restore',
    options: [
      new Option('--revoke', 'revoke their versions, too'),
      new Option('--no-revoke', 'do not revoke them any more'),
      dryRun,
      yes,
    ],
    example: 'retire shop --dry-run',
    load: () => import('../commands/retire.ts'),
  },
  {
    usage: 'restore <name...>',
    description: 'bring back what is being let go',
    options: [dryRun],
    example: 'restore shop',
    load: () => import('../commands/restore.ts'),
  },
  {
    usage: 'revoke <name>',
    description: 'have the CA take a certificate back, once another one is served',
    options: [
      new Option('--replace', 'order another one first, and wait until it is served'),
      new Option('--drill', 'do all of that at a CA for tests, to see that it works'),
      new Option('--version <id>', 'an earlier version: "previous", or its id'),
      new Option('--reason <reason>', 'as the CA publishes it')
        .choices(revocationReasons)
        .default('unspecified'),
      new Option('--wait <until>', 'with --replace; none: at once, for a key that is out').choices([
        'served',
        'delivered',
        'none',
      ]),
      dryRun,
      yes,
    ],
    example: 'revoke shop --replace --reason keyCompromise --wait none',
    load: () => import('../commands/revoke.ts'),
  },
  {
    usage: 'register <new-name>',
    description: 'ask the webhook for a certificate, as a program of yours would',
    options: [
      new Option('--domain <name...>', 'what it is for, such as shop.example.com'),
      new Option('--target <target...>', 'where it goes, such as prod/shop/shop-tls'),
      new Option('-f, --file <path>', 'or JSON or YAML with domains and targets; "-" is stdin'),
      ...webhook,
      dryRun,
    ],
    example: 'register shop --domain shop.example.com',
    load: () => import('../commands/register.ts'),
  },
  {
    usage: 'unregister <name>',
    description: 'give up what the webhook has registered; 30 days to restore',
    options: [...webhook, dryRun, yes],
    example: 'unregister shop --dry-run',
    load: () => import('../commands/unregister.ts'),
  },
  {
    usage: 'rotate-account-key <issuer>',
    description: 'give the account at the CA of an issuer a new key',
    options: [dryRun, yes],
    example: 'rotate-account-key default --dry-run',
    load: () => import('../commands/rotate-account-key.ts'),
  },
];
