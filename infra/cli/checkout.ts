// Shows files of the checkout as the caller can reach them, from whatever folder the command runs in.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, or the package: from this folder and from the bundle's it is two folders up. */
export const top = fileURLToPath(new URL('../..', import.meta.url));

/** Whether that is a checkout: a package has no tests, and can make no deploy. */
export const isCheckout = existsSync(join(top, 'test'));

/** The path as it is shortest from a folder: relative, or as it is.
 *  @param path An absolute path. @param cwd Where the caller stands. */
export function showPath(path: string, cwd: string): string {
  const near = relative(cwd, path) || '.';
  return near.length < path.length ? near : path;
}

/** The text with each file of the checkout that it names, such as `infra/rbac.yaml`, as the caller reaches
 *  it. Paths that are none of the checkout's stay. */
export function showPaths(text: string, cwd: string): string {
  return text.replaceAll(/(?<![\w./:-])(?:docs|infra)\/[\w/.-]{1,100}/g, (found) => {
    const path = found.slice(0, lengthOfPath(found));
    const file = join(top, path);
    return existsSync(file) ? showPath(file, cwd) + found.slice(path.length) : found;
  });
}

/** Without what ends a sentence behind it. */
function lengthOfPath(found: string): number {
  let length = found.length;
  while (length > 0 && './-'.includes(found[length - 1] ?? '')) length -= 1;
  return length;
}
