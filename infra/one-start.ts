// Makes one script of the many that a bundle reads at start, for each of them costs a cold start a millisecond.
import { basename } from 'node:path';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';

/** A script of a bundle that was built with `splitting`. */
export interface SplitScript {
  readonly text: string;
  readonly exports: readonly string[];
  /** `index.js` imports it, directly or not, other than by `await import()`, or is it itself. */
  readonly isStart: boolean;
}

/** The same bundle with all that is read at start in its `index.js`. The other scripts take from there what they share with
 *  it, so that each module is still there once. Nothing of the start may await at its top level something that reads one of
 *  them: each would wait for the other.
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

/** Resolves the scripts to their texts. What is imported from one of the start is, elsewhere, imported from `index.js`. */
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

/** What `index.js` exports itself, and what the other scripts of the start do, each under a name of its own. */
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
