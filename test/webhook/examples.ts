// Runs the examples of docs/webhook.md as a sender runs them, against an endpoint of their own.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEndpoint } from '../../lib/adapters/webhook/endpoint.ts';
import { readPage, top } from '../docs/markdown.ts';
import { realClock } from '../fakes/clock.ts';
import { Faults } from '../sandbox/faults.ts';
import { startHttpApi } from '../sandbox/http-api.ts';
import { Journal } from '../sandbox/journal.ts';

/** Languages of the examples: each is a block of the page, run by a program that reads a file. */
export type ExampleLanguage = 'bash' | 'python' | 'js';

const programs = { bash: 'bash', python: 'python3', js: process.execPath } as const;
const endings = { bash: 'sh', python: 'py', js: 'mjs' } as const;

/** What an example printed, and what the endpoint registered for it. */
export interface ExampleRun {
  readonly printed: string;
  readonly registered: readonly unknown[];
}

/** Runs the page's example in a language.
 *  @param sender The secret that the sender has; `stored` are those of the endpoint.
 *  @throws Error if the page has not exactly one example, or the program fails. */
export async function runExample(
  language: ExampleLanguage,
  { sender, stored }: { readonly sender: string; readonly stored: readonly string[] },
): Promise<ExampleRun> {
  const page = readPage('docs/webhook.md', readFileSync(join(top, 'docs/webhook.md'), 'utf8'));
  const [example, ...more] = page.blocks.filter((block) => block.language === language);
  if (!example || more.length > 0) throw new Error(`the page has ${more.length + 1} examples in ${language}`);
  const registered: unknown[] = [];
  const api = await startHttpApi({
    journal: new Journal(),
    faults: new Faults(),
    routes: { 'POST /domains': 'register' },
    call: (_, event) => endpointOf(stored, registered)(event, 'request-1', AbortSignal.timeout(30_000)),
  });
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-example-'));
  try {
    const file = join(folder, `register.${endings[language]}`);
    await writeFile(file, example.text);
    const env = {
      ...process.env,
      CERTRELAY_WEBHOOK_URL: `${api.url}/domains`,
      CERTRELAY_WEBHOOK_SECRET: sender,
    };
    const { stdout } = await promisify(execFile)(programs[language], [file], { env });
    return { printed: stdout.trim(), registered };
  } finally {
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function endpointOf(stored: readonly string[], registered: unknown[]) {
  const silent = () => undefined;
  return createEndpoint({
    isOpen: true,
    githubAllowedUntil: async () => 'never',
    readSecrets: async () => stored,
    describe: async (name) => ({ kind: 'unknown', name }),
    takeBack: async (name) => ({ kind: 'unknown', name }),
    register: async (asked) => {
      registered.push(asked);
      return { kind: 'accepted', name: 'customer', domains: ['one.customers.example.com'] };
    },
    clock: realClock,
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
}
