// kubectl as a cluster's operator uses it: what the README says to apply is applied, and objects are read
// back.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { mustLocate } from './parts/locate.ts';
import { makeDirectory, removeDirectory } from './parts/process.ts';

/** kubectl with one kubeconfig. */
export interface Kubectl {
  /** Runs it and gives its output. @throws Error with its message where it fails. */
  run(args: readonly string[], input?: string): Promise<string>;
  close(): Promise<void>;
}

/** @param kubeconfig Text. */
export async function openKubectl(kubeconfig: string): Promise<Kubectl> {
  const command = mustLocate('kubectl');
  const home = await makeDirectory('kubectl');
  const file = join(home, 'kubeconfig');
  await writeFile(file, kubeconfig, { mode: 0o600 });
  return {
    async run(args, input = '') {
      const child = spawn(command, ['--kubeconfig', file, ...args], { env: { HOME: home } });
      // One that ends before it has read everything says why on its other streams.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      const [output, problem, [status]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${problem}`);
      return output;
    },
    close: () => removeDirectory(home),
  };
}
