// npm run sandbox: everything stays up until Ctrl-C. Each function can be called from another terminal, and
// parts can be broken and mended.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { giveOrder, orderWords } from './control.ts';
import { onEnd } from './ending.ts';

const root = resolve(import.meta.dirname, '../..');

const { values, positionals } = readArguments();
const folder = resolve(process.env.INIT_CWD ?? '.', values.folder ?? resolve(root, '.sandbox'));
const [word] = positionals;

try {
  if (values.help) console.log(await help());
  else if (values.only !== undefined) await runPart(values.only);
  else if (word === undefined) {
    const { runSandbox } = await import('./session.ts');
    await runSandbox({ folder, insyncMs: Number(values.insync) * 1000 });
  } else if (orderWords.includes(word)) console.log(await giveOrder(folder, positionals));
  else throw new Error(`"${word}" is no order; see --help`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

function readArguments() {
  const options = {
    help: { type: 'boolean', short: 'h' },
    insync: { type: 'string', default: '0' },
    only: { type: 'string' },
    folder: { type: 'string' },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}; see --help` : error);
    process.exit(2);
  }
}

async function help(): Promise<string> {
  const [{ partNames }, { listTroubles }] = await Promise.all([import('./alone.ts'), import('./orders.ts')]);
  return `npm run sandbox [-- --folder PATH] [--insync SECONDS]     everything, until Ctrl-C
npm run sandbox -- --only PART                            one part and no functions
npm run sandbox -- break NAME…                            breaks these in the sandbox that runs, one or several
npm run sandbox -- mend NAME… | mend all                  puts them right, or everything that is broken still
npm run sandbox -- broken                                 what is broken, and has not been cured since

  --folder PATH      where its files are, and which sandbox an order is for (default .sandbox in the checkout)
  --insync SECONDS   how long a Route 53 change is PENDING (default 0)
  --only PART        ${partNames.join(', ')}

What can be broken, in any order, each until it is mended, or cured as in an installation:
${listTroubles()
  .map((line) => `  ${line}`)
  .join('\n')}`;
}

async function runPart(name: string): Promise<void> {
  const { startAlone } = await import('./alone.ts');
  const part = await startAlone(name);
  const environment = Object.entries(part.environment).map(
    ([variable, value]) => `export ${variable}='${value}'`,
  );
  console.log([...environment, `# ${name} is up. Ctrl-C ends it.`].join('\n'));
  await new Promise<void>((done) => onEnd(() => done()));
  await part.stop();
  process.exit(0);
}
