// Finds a running Boulder, the software behind Let's Encrypt, which is started outside the project.

/** Where a Boulder answers. */
export interface Boulder {
  /** URL of its directory (RFC 8555 §7.1.1). */
  readonly directory: string;
  /** PEM file of the authority that its HTTPS certificate comes from. */
  readonly caFile: string;
}

/** The Boulder of `BOULDER_DIRECTORY` and `BOULDER_DIRECTORY_CA`, or undefined where neither is set: nothing
 *  of it is installed by the project, so its suites are skipped then, in CI too.
 *  @throws Error when only one of the two is set. */
export function locateBoulder(environment: NodeJS.ProcessEnv = process.env): Boulder | undefined {
  const directory = environment.BOULDER_DIRECTORY || undefined;
  const caFile = environment.BOULDER_DIRECTORY_CA || undefined;
  if (directory === undefined && caFile === undefined) return undefined;
  if (directory === undefined) throw new Error('BOULDER_DIRECTORY_CA is set without BOULDER_DIRECTORY');
  if (caFile === undefined) throw new Error('BOULDER_DIRECTORY is set without BOULDER_DIRECTORY_CA');
  return { directory, caFile };
}
