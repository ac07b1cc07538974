// Builds and packages the functions once for a whole test run, when the first test asks: every sandbox runs
// these bundles, and what is said of the template is said of this one. Most tests ask for nothing, and wait
// for nothing.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildService } from '../infra/build/build.ts';
import { buildCommandLine } from '../infra/cli/build.ts';
import { keepPackagedService } from './infra/packaged.ts';

const inventoryFile = join(import.meta.dirname, 'sandbox', 'packaged.yaml');

/** Makes each part in the folder that it is given. */
const makers = {
  /** The production bundle of each function, and in `functions.json` what the build says of them. */
  async bundles(folder: string) {
    const functions = await buildService(join(import.meta.dirname, '..'), folder, inventoryFile);
    await writeFile(join(folder, 'functions.json'), JSON.stringify(functions));
  },
  /** What the sandbox's Lambda runs in each of its processes, as one script without types. */
  runtime: buildRuntime,
  /** The command line. */
  cli: buildCommandLine,
  /** What `serverless package` makes. */
  packaged: keepPackagedService,
};

/** Vitest calls this before the first test file, and what it gives after the last. Test files ask for parts
 *  by `findBuilt`, from processes of their own. */
export default async function prepare(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-run-'));
  const made = new Map<string, Promise<string>>();
  const make = async (part: string): Promise<string> => {
    const path = join(folder, part);
    const maker = Object.entries(makers).find(([name]) => name === part)?.[1];
    if (!maker) throw new Error(`nothing named ${part} is built`);
    await maker(path);
    return path;
  };
  const server = createServer((request, response) => {
    const part = (request.url ?? '').slice(1);
    const making = made.get(part) ?? make(part);
    made.set(part, making);
    making.then(
      (path) => response.end(path),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.env.CERTRELAY_TEST_BUILDS = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async () => {
    server.close();
    server.closeAllConnections();
    await Promise.allSettled(made.values());
    await rm(folder, { recursive: true, force: true });
  };
}

async function buildRuntime(outdir: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'sandbox/lambda/bootstrap.ts')],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
  });
}
