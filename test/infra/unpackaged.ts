// The roles of the template without `serverless package`, which takes seconds: for a sandbox outside of a
// test run. A test holds it against the packaged template.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { fillRoles, type RoleOptions } from '../../infra/template/permissions.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { type Template, template } from './packaged.ts';
import { parseTemplate } from './template-yaml.ts';

const root = join(import.meta.dirname, '../..');
const service = z.object({
  params: z.object({ default: z.record(z.string(), z.union([z.string(), z.number()])) }),
  functions: z.record(z.string(), z.object({ handler: z.string(), role: z.string() })),
});

/** What `serverless package` makes of infra/template/roles.yml and of the functions' roles, with the
 *  parameters of serverless.yml and these in their places. */
export async function readUnpackaged(
  inventory: Inventory,
  params: Readonly<Record<string, string>> = {},
  options: RoleOptions = {},
): Promise<Template> {
  const [main, roles] = await Promise.all(
    ['serverless.yml', 'infra/template/roles.yml'].map((file) => readFile(join(root, file), 'utf8')),
  );
  const { functions, params: own } = service.parse(parseTemplate(main ?? ''));
  const known: Readonly<Record<string, string | number>> = {
    prefix: 'certrelay',
    ...own.default,
    ...params,
  };
  const resolved = (roles ?? '').replace(
    /\$\{param:(\w+)(?:, *"([^"]*)")?\}/g,
    (text, name: string, otherwise?: string) => String(known[name] ?? otherwise ?? text),
  );
  const parsed = template.parse(parseTemplate(resolved));
  const lambdas = Object.entries(functions).map(([name, { handler, role }]) => [
    `${name}LambdaFunction`,
    {
      Type: 'AWS::Lambda::Function',
      Properties: { Handler: handler, Role: { 'Fn::GetAtt': [role, 'Arn'] } },
    },
  ]);
  fillRoles(parsed.Resources, inventory, options);
  return { ...parsed, Resources: { ...parsed.Resources, ...Object.fromEntries(lambdas) } };
}
