// Tells whether a file is the script that was started. `import.meta.main` would, but only from Node 24.2 on: before, a command
// would do nothing, and look well.
import { realpathSync } from 'node:fs';

/** @param meta The file's `import.meta`. */
export function isMainScript({ filename }: Pick<ImportMeta, 'filename'>): boolean {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === filename;
}
