// Merges the scripts that a bundle reads at start into one. Each separate script costs about 1 ms of a cold
// start.
import { basename } from 'node:path';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';

/** A script of a bundle that was built with `splitting`. */
export interface SplitScript {
  readonly text: string;
  readonly exports: readonly string[];
  /** Whether `index.js` imports it statically, directly or not, or is it itself. */
  readonly isStart: boolean;
}

/** The same bundle with everything that is read at start in `index.js`. The other scripts import shared
 *  modules from there, so each module still exists once. Code at start must not await, at top level, a script
 *  that is read later: both would wait for each other.
 *  @param scripts By name. */
export async function mergeStart(
  scripts: ReadonlyMap<string, SplitScript>,
  options: BuildOptions,
): Promise<readonly OutputFile[]> {
  const later = [...scripts].filter(([, { isStart }]) => !isStart).map(([name]) => name);
  const { outputFiles } = await build({
    ...options,
    entryPoints: {
      index: './start',
      ...Object.fromEntries(later.map((name) => [basename(name, '.js'), `./${name}`])),
    },
    bundle: true,
    write: false,
    plugins: [reading(scripts)],
  });
  return outputFiles;
}

/** Resolves scripts to their texts. Scripts that are read later import from `index.js` what they imported
 *  from a script of the start. */
function reading(scripts: ReadonlyMap<string, SplitScript>): Plugin {
  const isStart = (name: string) => scripts.get(name)?.isStart === true;
  return {
    name: 'reading',
    setup(merging) {
      merging.onResolve({ filter: /^\.\// }, ({ path, kind, importer, namespace }) => {
        const name = basename(path);
        if (kind === 'entry-point') return { path: name, namespace: 'script' };
        if (kind === 'dynamic-import' || !isStart(name) || namespace === 'taken')
          return { path, external: true };
        return { path: name, namespace: isStart(importer) || importer === 'start' ? 'script' : 'taken' };
      });
      merging.onLoad({ filter: /.*/, namespace: 'script' }, ({ path }) => {
        const contents = path === 'start' ? giveAll(scripts) : scripts.get(path)?.text;
        return contents === undefined ? undefined : { contents };
      });
      merging.onLoad({ filter: /.*/, namespace: 'taken' }, ({ path: name }) => ({
        contents: exportFrom('./index.js', name, scripts, (one) => `${nameShared(name, one)} as ${one}`),
      }));
    },
  };
}

/** Exports of `index.js` and of the other scripts of the start, each under a unique name. */
function giveAll(scripts: ReadonlyMap<string, SplitScript>): string {
  const parts = [...scripts].filter(([name, { isStart }]) => isStart && name !== 'index.js');
  const lines = parts.map(([name]) =>
    exportFrom(`./${name}`, name, scripts, (one) => `${one} as ${nameShared(name, one)}`),
  );
  return ["export * from './index.js';", ...lines].join('\n');
}

function exportFrom(
  file: string,
  name: string,
  scripts: ReadonlyMap<string, SplitScript>,
  write: (exported: string) => string,
): string {
  return `export {${(scripts.get(name)?.exports ?? []).map(write).join(', ')}} from '${file}';`;
}

function nameShared(script: string, exported: string): string {
  return `${script.replace(/\W/g, '_')}_${exported}`;
}
