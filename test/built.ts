// Where the test run keeps what it has built (test/bundles.ts).

/** Folder of the production bundles, of the script for the sandbox's Lambda, of the packaged service or of
 *  the command line, made by the first who asks; `undefined` outside of a test run. @throws Error with what
 *  the build said. */
export async function findBuilt(
  part: 'bundles' | 'runtime' | 'packaged' | 'cli',
): Promise<string | undefined> {
  const builds = process.env.CERTRELAY_TEST_BUILDS;
  if (builds === undefined) return undefined;
  const response = await fetch(`${builds}/${part}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
