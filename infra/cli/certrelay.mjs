#!/usr/bin/env node
// The command `certrelay`: starts the bundle in dist/cli. In a checkout the bundle is built first if a source
// has changed since. Any Node since 12.22 can read this file.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const top = new URL('../../', import.meta.url);
const bundle = new URL('dist/cli/', top);
const builder = fileURLToPath(new URL('infra/cli/build.ts', top));

/** Whether the bundle is what a build would make, by size and time of change of each source. A package,
 *  which has no tests, has no record of these: its bundle is complete, and nothing is there to build it with. In
 *  a checkout a bundle without a record is one of a build that did not come to its end. */
function isFresh() {
  if (!existsSync(new URL('main.js', bundle))) return false;
  const isPackage = !existsSync(new URL('test/', top));
  if (isPackage && !existsSync(new URL('sources.json', bundle))) return true;
  try {
    const sources = JSON.parse(readFileSync(new URL('sources.json', bundle), 'utf8'));
    return Object.entries(sources).every(([path, mark]) => {
      const { size, mtimeMs } = statSync(new URL(path, top));
      return `${size} ${mtimeMs}` === mark;
    });
  } catch {
    return false;
  }
}

const [major] = process.versions.node.split('.').map(Number);
if (major < 22) {
  console.error(
    `Node ${process.versions.node} is too old: certrelay runs on Node 22 and later. "npx certrelay" takes the one that npm ci installed.`,
  );
  process.exit(2);
}
if (!isFresh()) {
  try {
    execFileSync(process.execPath, [builder], { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    console.error('The command line could not be built: run npm ci in the checkout, then this again.');
    process.exit(2);
  }
}
// Beside the bundle, and not in a folder for temporary files that others may write to.
if (nodeModule.enableCompileCache) nodeModule.enableCompileCache(fileURLToPath(new URL('.cache', bundle)));
await import(new URL('main.js', bundle));
