// Tells whether a file is the started script. `import.meta.main` exists only from Node 24.2 on: on an earlier
// Node a command would do nothing and look successful.
import { realpathSync } from 'node:fs';

/** Whether a file is the script that was started. @param meta The file's `import.meta`. */
export function isMainScript({ filename }: Pick<ImportMeta, 'filename'>): boolean {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === filename;
}
