// Runs `serverless package` on a copy of the service whose functions are empty, and reads what it made.
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { findBuilt } from '../built.ts';
import { functionNames } from '../function-names.ts';

const root = resolve(import.meta.dirname, '../..');

/** A CloudFormation template, as far as it is looked at here. */
export const template = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.string().optional() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

/** A CloudFormation template as `serverless package` writes it. */
export type Template = z.infer<typeof template>;

/** Options that say region and prefix: without credentials nobody can look which ones an installation has. A
 *  later `--param` counts before an earlier one. */
export const newPlace = ['--region=eu-central-1', '--param=prefix=certrelay'];

export interface Packaged {
  readonly template: Template;
  /** Names in each function's archive. */
  readonly archives: Readonly<Record<string, readonly string[]>>;
}

/** The service packaged as it stands, once for a whole test run; by itself where there is none. */
export async function readPackagedService(): Promise<Packaged> {
  const kept = await findBuilt('packaged');
  return kept === undefined ? packageService() : readPackage(kept);
}

/** Packages the service as it stands into a folder, for `readPackagedService`. */
export async function keepPackagedService(target: string): Promise<void> {
  const folder = await makeService();
  try {
    await runServerless(['package', '--package', 'packaged', ...newPlace], folder);
    await cp(join(folder, 'packaged'), target, { recursive: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packages with parameters (`--param name=value`) and an inventory (YAML), without account or network.
 *  @throws Error with what serverless printed, where it refuses. */
export async function packageService(
  params: Readonly<Record<string, string>> = {},
  inventory = emptyInventory,
): Promise<Packaged> {
  const folder = await makeService('empty', inventory);
  try {
    const options = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
    await runServerless(['package', '--package', 'packaged', ...newPlace, ...options], folder);
    return await readPackage(join(folder, 'packaged'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A new folder with serverless.yml, infra and functions: those of the project, or ones that only say their
 *  name. */
export async function makeService(
  functions: 'own' | 'empty' = 'empty',
  inventory = emptyInventory,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-service-'));
  await copyFile(join(root, 'serverless.yml'), join(folder, 'serverless.yml'));
  await linkFiles('infra', folder);
  const file = join(folder, 'infra', 'certificates.yaml');
  await rm(file);
  if (functions === 'own') {
    await writeFile(file, await readAgreedInventory());
    await linkFiles('functions', folder);
    return folder;
  }
  await writeFile(file, inventory);
  await mkdir(join(folder, 'functions'));
  for (const name of functionNames) {
    await writeFile(
      join(folder, 'functions', `${name}.ts`),
      `export const handler = async () => '${name}';\n`,
    );
  }
  return folder;
}

/** The shipped inventory as its user has it who agrees to the CA's terms. */
export async function readAgreedInventory(): Promise<string> {
  const shipped = await readFile(join(root, 'infra', 'certificates.yaml'), 'utf8');
  return shipped.replace('# agreeToTerms: true', 'agreeToTerms: true');
}

/** Links, for what these files import lies beside the originals. */
async function linkFiles(part: string, folder: string): Promise<void> {
  await mkdir(join(folder, part));
  for (const name of await readdir(join(root, part))) {
    await symlink(join(root, part, name), join(folder, part, name));
  }
}

/** Runs `serverless` in a folder with no credentials and gives its output.
 *  @throws Error with that output where it fails. */
export function runServerless(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const program = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    AWS_EC2_METADATA_DISABLED: 'true',
    SLS_ANALYTICS_DISABLED: '1',
    NO_COLOR: '1',
    // Compiling its own schema is half of what osls does.
    SLS_SCHEMA_CACHE_BASE_DIR: join(root, 'node_modules', '.cache'),
    ...environment,
  };
  return new Promise((done, refused) => {
    execFile(process.execPath, [program, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      if (error) refused(new Error(`${stdout}${stderr}`));
      else done(stdout + stderr);
    });
  });
}

/** The template that was packaged into a folder, as text; empty where there is none. */
export function readPackagedTemplate(folder: string): Promise<string> {
  return readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8').catch(() => '');
}

async function readPackage(folder: string): Promise<Packaged> {
  const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
  const archives = await Promise.all(
    functionNames.map(
      async (name) => [name, listArchive(await readFile(join(folder, `${name}.zip`)))] as const,
    ),
  );
  return { template: template.parse(JSON.parse(text)), archives: Object.fromEntries(archives) };
}

/** File names of a zip archive, from its central directory. */
function listArchive(archive: Buffer): readonly string[] {
  const names: string[] = [];
  let at = archive.readUInt32LE(archive.lastIndexOf('PK\x05\x06') + 16);
  while (archive.toString('latin1', at, at + 4) === 'PK\x01\x02') {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    );
    const end = at + 46 + (nameLength ?? 0);
    names.push(archive.toString('utf8', at + 46, end));
    at = end + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return names.toSorted();
}

/** A role in another account, for its hosted zones. */
export const zoneRole = 'arn:aws:iam::210987654321:role/certrelay-dns';

/** A role by which a cluster of EKS is reached. */
export const eksRole = 'arn:aws:iam::210987654321:role/certrelay-clusters';

/** An inventory that needs nothing but what every installation does. */
export const emptyInventory = `
issuers:
  default:
    directory: letsencrypt-staging
    agreeToTerms: true
certificates: []
`;

/** An inventory that needs what functions are not allowed without it. */
export const wideInventory = `${emptyInventory}
clusters:
  prod: { eks: { name: prod, region: eu-central-1 } }
  far: { eks: { name: far, region: eu-central-1, roleArn: "${eksRole}" } }
dns:
  zones:
    - { match: example.net, roleArn: "${zoneRole}" }
    - { match: example.org, roleArn: "${zoneRole}" }
`;
