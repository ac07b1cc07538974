// Types of node-version.mjs, which any Node can read and TypeScript therefore not check.

/** Why a version such as `20.11.0` will not do on a platform such as `linux-x64`, and what to do; `undefined`
 *  where it will. */
export function refuseNode(version: string, platform: string): string | undefined;
