// Measures how long the issue function takes from a fresh process to its answer when nothing is due, against importing
// AWS's client for Secrets Manager alone.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildFunctions } from '../../infra/build.ts';
import { credentialsOf, type Sandbox } from '../sandbox/sandbox.ts';
import { median } from './figure.ts';

const run = promisify(execFile);
const timing = z.object({ importMs: z.number(), totalMs: z.number() });

/** Medians over fresh processes, one of each kind in turn. Node's own start is in none of them. */
export interface ColdStart {
  readonly sdkImportMs: number;
  readonly issueImportMs: number;
  /** Importing included. */
  readonly issueAnswerMs: number;
}

/** `folder` gets the bundle that is compared with; the project's are there already. */
export async function measureColdStart(sandbox: Sandbox, folder: string, times: number): Promise<ColdStart> {
  const root = join(import.meta.dirname, '../..');
  await buildFunctions({
    sourceFolder: join(import.meta.dirname, 'sdk-alone'),
    outFolder: folder,
    inventoryFile: join(root, 'infra/certificates.yaml'),
  });
  const sdk = join(folder, 'secrets-manager/index.js');
  const issue = join(process.env.CERTRELAY_SANDBOX_BUNDLES ?? '', 'issue/index.js');
  const [sdkRuns, issueRuns] = [[] as z.output<typeof timing>[], [] as z.output<typeof timing>[]];
  for (let turn = 0; turn < times; turn += 1) {
    sdkRuns.push(await start(sandbox, sdk));
    issueRuns.push(await start(sandbox, issue, '{}'));
  }
  return {
    sdkImportMs: median(sdkRuns.map(({ importMs }) => importMs)),
    issueImportMs: median(issueRuns.map(({ importMs }) => importMs)),
    issueAnswerMs: median(issueRuns.map(({ totalMs }) => totalMs)),
  };
}

async function start({ environment }: Sandbox, ...args: readonly string[]) {
  const script = join(import.meta.dirname, 'start.ts');
  // As on Lambda: who calls is in the environment, and no AWS configuration of this machine is read.
  const env = { ...environment, ...credentialsOf('issue'), HOME: '/nonexistent' };
  const { stderr } = await run(process.execPath, [script, ...args], { env });
  return timing.parse(JSON.parse(stderr.trim().split('\n').at(-1) ?? ''));
}
