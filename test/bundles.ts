// Builds the functions once for a whole test run; every sandbox in it runs these bundles.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildService } from '../infra/build.ts';

/** Vitest calls this before the first test file, and what it gives after the last. */
export default async function buildBundles(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-bundles-'));
  await buildService(join(import.meta.dirname, '..'), folder);
  process.env.CERTRELAY_SANDBOX_BUNDLES = folder;
  return () => rm(folder, { recursive: true, force: true });
}
