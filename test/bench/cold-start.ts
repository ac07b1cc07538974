// Measures a cold start of the issue function that finds nothing due, against importing AWS's client for Secrets Manager
// and nothing else.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildFunctions } from '../../infra/build.ts';
import { credentialsOf, type Sandbox } from '../sandbox/sandbox.ts';
import { median } from './figure.ts';

const run = promisify(execFile);
const timing = z.object({ nodeMs: z.number(), importMs: z.number(), answerMs: z.number() });

/** What one fresh process took, in milliseconds: Node itself, importing the bundle, and the handler's answer. */
export type Start = z.output<typeof timing>;

/** Medians over fresh processes, one of each kind in turn. */
export interface ColdStart {
  readonly issue: Start;
  /** Answers nothing. */
  readonly sdk: Start;
}

/** `folder` gets the bundle that is compared with; the project's are there already. */
export async function measureColdStart(sandbox: Sandbox, folder: string, times: number): Promise<ColdStart> {
  const root = join(import.meta.dirname, '../..');
  await buildFunctions({
    sourceFolder: join(import.meta.dirname, 'sdk-alone'),
    outFolder: folder,
    inventoryFile: join(root, 'infra/certificates.yaml'),
  });
  const sdkBundle = join(folder, 'secrets-manager/index.js');
  const issueBundle = join(process.env.CERTRELAY_SANDBOX_BUNDLES ?? '', 'issue/index.js');
  const [sdk, issue]: [Start[], Start[]] = [[], []];
  for (let turn = 0; turn < times; turn += 1) {
    sdk.push(await start(sandbox, sdkBundle));
    issue.push(await start(sandbox, issueBundle, '{}'));
  }
  return { sdk: mediansOf(sdk), issue: mediansOf(issue) };
}

/** Plain JavaScript, so that nothing is compiled that is not measured. The client loads node:http for the sandbox's
 *  endpoint alone: on AWS it needs only node:https, which it loads in any case. So that is in no figure. */
const script = `
const [file, event] = process.argv.slice(1);
const nodeMs = performance.now();
await import('node:http');
const startedAt = performance.now();
const { handler } = await import(file);
const importedAt = performance.now();
if (event) await handler(JSON.parse(event), { awsRequestId: 'bench', getRemainingTimeInMillis: () => 60_000 });
const answerMs = performance.now() - importedAt;
process.stderr.write(JSON.stringify({ nodeMs, importMs: importedAt - startedAt, answerMs }) + '\\n');
`;

async function start({ environment }: Sandbox, ...args: readonly string[]): Promise<Start> {
  // As on Lambda: who calls is in the environment, and no AWS configuration of this machine is read.
  const env = { ...environment, ...credentialsOf('issue'), HOME: '/nonexistent' };
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', script, ...args], { env });
  return timing.parse(JSON.parse(stderr.trim().split('\n').at(-1) ?? ''));
}

function mediansOf(starts: readonly Start[]): Start {
  return {
    nodeMs: median(starts.map(({ nodeMs }) => nodeMs)),
    importMs: median(starts.map(({ importMs }) => importMs)),
    answerMs: median(starts.map(({ answerMs }) => answerMs)),
  };
}
