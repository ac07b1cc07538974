// Builds and packages the functions once for a whole test run: every sandbox runs these bundles, and what is said of the
// template is said of this one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildService } from '../infra/build.ts';
import { keepPackagedService } from './infra/packaged.ts';

/** Vitest calls this before the first test file, and what it gives after the last. */
export default async function prepare(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-run-'));
  const [bundles, packaged] = [join(folder, 'bundles'), join(folder, 'packaged')];
  await Promise.all([buildService(join(import.meta.dirname, '..'), bundles), keepPackagedService(packaged)]);
  process.env.CERTRELAY_SANDBOX_BUNDLES = bundles;
  process.env.CERTRELAY_PACKAGED = packaged;
  return () => rm(folder, { recursive: true, force: true });
}
