// Finds the programs that test/real/install put into the cache directory.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A real server, or tool of one, that `test/real/install` knows by this name. */
export type Part =
  | 'pebble'
  | 'etcd'
  | 'kwok'
  | 'moto'
  | 'nginx'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'gateway-api'
  | 'chromium';

/** The parts that a cluster needs, for `missing`. */
export const kubernetesParts: readonly Part[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
];

/** The absolute path of a part's program, or undefined where it is not installed. For `moto` it is the
 *  Python interpreter of its environment, for `gateway-api` a file of YAML documents.
 *  @throws Error where it is not installed and `CI` is `true`: there no suite may be skipped. */
export function locate(part: Part): string | undefined {
  const cache =
    process.env.CERTRELAY_REAL_PARTS ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'certrelay-real-parts');
  const file = join(cache, part === 'moto' ? 'moto/bin/python' : `bin/${part}`);
  // The stamp is written last: without it the program is half made.
  if (existsSync(file) && existsSync(join(cache, 'stamps', part))) return file;
  if (process.env.CI === 'true') throw new Error(notInstalled(part));
  return undefined;
}

/** Those of the parts that are not installed, for a suite that skips itself and says why.
 *  @throws Error for the first of them where `CI` is `true`. */
export function missing(parts: readonly Part[]): readonly Part[] {
  return parts.filter((part) => locate(part) === undefined);
}

/** The absolute path of a part's program.
 *  @throws Error naming the part where it is not installed. */
export function mustLocate(part: Part): string {
  const file = locate(part);
  if (file === undefined) throw new Error(notInstalled(part));
  return file;
}

function notInstalled(part: Part): string {
  return `${part} is not installed; run: test/real/install ${part}`;
}
