// Runs in a process of its own: imports a bundle, calls its handler where asked to, and prints how long that took.
import { pathToFileURL } from 'node:url';

const [file = '', event] = process.argv.slice(2);
const startedAt = performance.now();
const bundle: { readonly handler: (event: unknown, context: object) => unknown } = await import(
  pathToFileURL(file).href
);
const importedAt = performance.now();
if (event !== undefined) {
  await bundle.handler(JSON.parse(event), {
    awsRequestId: 'bench',
    getRemainingTimeInMillis: () => 60_000,
  });
}
const endedAt = performance.now();
process.stderr.write(
  `${JSON.stringify({ importMs: importedAt - startedAt, totalMs: endedAt - startedAt })}\n`,
);
