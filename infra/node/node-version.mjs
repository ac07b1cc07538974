// Refuses a Node that cannot run the scripts. They run on the one in the lock file, where there is one for
// this platform, and elsewhere on the machine's own. Any Node since 12 can read this file.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const oldest = [22, 19];

/** Why a version such as `20.11.0` will not do, and what to do; `undefined` where it will. */
export function refuseNode(version, platform) {
  const [major, minor] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
  return [
    `Node ${version} is too old: Certrelay's scripts are TypeScript, which Node runs from ${oldest.join('.')} on.`,
    `package-lock.json has no Node for ${platform}, or it was left out (--omit=optional): install the optional`,
    'dependencies, or put Node 24 (what Lambda runs) into PATH, and run this again.',
  ].join('\n');
}

const [, script] = process.argv;
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) {
  const refusal = refuseNode(process.versions.node, `${process.platform}-${process.arch}`);
  if (refusal !== undefined) {
    console.error(refusal);
    process.exitCode = 1;
  }
}
