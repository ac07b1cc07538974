// The commands that set an installation up, move certificates in and out, and check it.
import { Option } from 'commander';
import { exportFormats } from '../../../lib/certificate/spec.ts';
import type { CommandDefinition } from '../definitions.ts';
import { dryRun } from './dry-run.ts';

const inventory = new Option('--inventory <file>', 'in place of infra/certificates.yaml of the checkout');

/** In the order of the help. */
export const setUpCommands: readonly CommandDefinition[] = [
  {
    usage: 'check',
    description: 'look whether the installation has all that it needs, and say what to do',
    example: 'check --stage prod',
    load: () => import('../commands/check.ts'),
  },
  {
    usage: 'lint [file]',
    description: 'say every mistake of an inventory',
    options: [
      new Option('--against-store', 'and which registered certificates it would not allow'),
      new Option('--prefix <prefix>', 'first part of the names of AWS secrets'),
    ],
    example: 'lint infra/certificates.yaml',
    load: () => import('../commands/lint.ts'),
  },
  {
    usage: 'rbac [cluster]',
    description: 'print the least Roles that a cluster must give, for kubectl apply',
    options: [
      new Option('--user <name>', 'bind this user'),
      new Option('--service-account <name>', 'bind this ServiceAccount, as namespace/name'),
      new Option('--argo-rollouts', 'let it restart Rollouts of Argo, too'),
      inventory,
    ],
    example: 'rbac prod --user certrelay',
    load: () => import('../commands/rbac.ts'),
  },
  {
    usage: 'inventory',
    description: 'print the part of the inventory that the agent of a cluster needs',
    options: [new Option('--for-agent <cluster>', 'whose agent').makeOptionMandatory(), inventory],
    example: 'inventory --for-agent edge',
    load: () => import('../commands/inventory.ts'),
  },
  {
    usage: 'import [name]',
    description: "take over another tool's certificate, or an account at a CA",
    options: [
      new Option('--secret <name>', 'the AWS secret to read'),
      new Option('--from <place>', 'the Secret to read, as cluster/namespace/secret'),
      new Option('--issuer <name>', 'with --from: who renews it'),
      new Option('--tool-namespace <name>', 'with --from: where the other tool runs'),
      new Option('--take-over', 'with --from: although the other tool still renews it'),
      new Option('--self-signed', 'take one that signs itself'),
      new Option('--account <issuer>', "import this issuer's account in place of a certificate"),
      new Option('--replace', 'with --account: in place of the one that is stored'),
      dryRun,
    ],
    example: 'import --from prod/shop/shop-tls --dry-run',
    load: () => import('../commands/import.ts'),
  },
  {
    usage: 'export <name...>',
    description: 'write stored certificates to files',
    options: [
      new Option('-d, --dir <folder>', 'write them here').makeOptionMandatory(),
      new Option('--format <format>', 'as Secrets have them, or pem or manifest (default: "tls")').choices(
        exportFormats,
      ),
      new Option('--target <target>', 'with --format manifest: for this target alone'),
      new Option('--key', 'with the private keys'),
      new Option('--overwrite', 'write over files that are there'),
    ],
    example: 'export shop --format pem --key --dir shop',
    load: () => import('../commands/export.ts'),
  },
  {
    usage: 'discover',
    description: 'find objects in clusters that ask for certificates, and register these',
    options: [dryRun],
    example: 'discover --dry-run',
    load: () => import('../commands/discover.ts'),
  },
  {
    usage: 'notify',
    description: 'ring every channel of notices',
    options: [new Option('--test', 'say that it is a test').makeOptionMandatory()],
    example: 'notify --test',
    load: () => import('../commands/notify.ts'),
  },
  {
    usage: 'completion [shell]',
    description: 'print what completes the words of certrelay in bash, zsh or fish',
    options: [new Option('--names', 'print the names of certificates').hideHelp()],
    example: 'completion bash',
    load: () => import('../commands/completion.ts'),
  },
  {
    usage: 'uninstall',
    description: 'say how the installation is removed, and what stays',
    options: [new Option('--prefix <prefix>', 'first part of the names of AWS secrets, once status is gone')],
    example: 'uninstall --stage old',
    load: () => import('../commands/uninstall.ts'),
  },
];
