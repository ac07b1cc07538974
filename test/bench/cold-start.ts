// Measures a cold start of the issue function that finds nothing due, against importing AWS's client for Secrets Manager
// and nothing else.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildFunctions } from '../../infra/build.ts';
import { credentialsOf, type Sandbox } from '../sandbox/sandbox.ts';

const run = promisify(execFile);
const timing = z.object({ nodeMs: z.number(), importMs: z.number(), answerMs: z.number() });

/** What one fresh process took, in milliseconds: Node itself, importing the bundle, and the handler's answer. */
export type Start = z.output<typeof timing>;

/** Two fresh processes, one right after the other, so that both find the machine as busy. */
export interface ColdStart {
  readonly issue: Start;
  /** Its answer is one page of the list, by the client alone. */
  readonly sdk: Start;
}

/** Both bundles go into `folder`; the project's with what the sandbox's inventory says now, as it is deployed. */
export async function measureColdStarts(
  sandbox: Sandbox,
  folder: string,
  times: number,
): Promise<readonly ColdStart[]> {
  const { inventoryPath: inventoryFile } = sandbox;
  const sdkAlone = join(import.meta.dirname, 'sdk-alone');
  const functions = join(import.meta.dirname, '../../functions');
  for (const sourceFolder of [sdkAlone, functions]) {
    await buildFunctions({ sourceFolder, outFolder: folder, inventoryFile });
  }
  const starts: ColdStart[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    const sdk = await start(sandbox, join(folder, 'secrets-manager/index.js'));
    const issue = await start(sandbox, join(folder, 'issue/index.js'));
    starts.push({ issue, sdk });
  }
  return starts;
}

/** Plain JavaScript, so that nothing is compiled that is not measured. The client loads node:http for the sandbox's
 *  endpoint alone: on AWS it needs only node:https, which it loads in any case. So that is in no figure. */
const script = `
const [, bundle] = process.argv;
const nodeMs = performance.now();
await import('node:http');
const startedAt = performance.now();
const { handler } = await import(bundle);
const importedAt = performance.now();
await handler({}, { awsRequestId: 'bench', getRemainingTimeInMillis: () => 60_000 });
const answerMs = performance.now() - importedAt;
process.stderr.write(JSON.stringify({ nodeMs, importMs: importedAt - startedAt, answerMs }) + '\\n');
`;

async function start({ environment }: Sandbox, bundle: string): Promise<Start> {
  // As deployed where nothing is set, and as on Lambda: no AWS configuration of this machine is read.
  const { CERTRELAY_INVENTORY: _, CERTRELAY_RESOLVERS: __, ...settings } = environment;
  const env = { ...settings, ...credentialsOf('issue'), HOME: '/nonexistent' };
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', script, bundle], { env });
  return timing.parse(JSON.parse(stderr.trim().split('\n').at(-1) ?? ''));
}
