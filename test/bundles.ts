// Builds and packages the functions once for a whole test run: every sandbox runs these bundles, and what is said of the
// template is said of this one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildService } from '../infra/build.ts';
import { keepPackagedService } from './infra/packaged.ts';

/** Vitest calls this before the first test file, and what it gives after the last. */
export default async function prepare(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-run-'));
  const bundles = join(folder, 'bundles');
  const packaged = join(folder, 'packaged');
  const runtime = join(folder, 'runtime');
  const building = buildService(join(import.meta.dirname, '..'), bundles);
  await Promise.all([building, buildRuntime(runtime), keepPackagedService(packaged)]);
  process.env.CERTRELAY_SANDBOX_BUNDLES = bundles;
  process.env.CERTRELAY_SANDBOX_RUNTIME = runtime;
  process.env.CERTRELAY_PACKAGED = packaged;
  return () => rm(folder, { recursive: true, force: true });
}

/** What the sandbox's Lambda runs in each of its processes, as one script without types. */
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
