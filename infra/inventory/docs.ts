// Writes the parts of docs that are made from the code: npm run docs. With --check it only says which are not
// as the code makes them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderJsonSchema } from '../../lib/inventory/schema.ts';
import { isMainScript } from '../node/main-script.ts';
import { renderInventoryTables } from './inventory-tables.ts';

const page = join(import.meta.dirname, '../../docs/inventory.md');

const generated = /(<!-- generated: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** The page with each generated part as the code makes it now. The text between them stays.
 *  @throws Error if the page asks for a part that there is not, or lacks one. */
export function renderInventoryPage(text: string): string {
  const tables = new Map<string, string>(renderInventoryTables(renderJsonSchema()));
  const filled = text.replaceAll(generated, (_, begin: string, name: string, end: string) => {
    const table = tables.get(name);
    if (table === undefined) throw new Error(`docs/inventory.md: nothing generated is called ${name}`);
    tables.delete(name);
    return `${begin}\n${table}\n\n${end}`;
  });
  const [lacking] = tables.keys();
  if (lacking === undefined) return filled;
  throw new Error(`docs/inventory.md lacks "<!-- generated: ${lacking} -->", or has it twice`);
}

if (isMainScript(import.meta)) {
  const before = readFileSync(page, 'utf8');
  const after = renderInventoryPage(before);
  if (!process.argv.includes('--check')) writeFileSync(page, after);
  else if (before !== after) {
    console.error('docs/inventory.md is not as the code makes it. Run npm run docs, and commit the page.');
    process.exitCode = 1;
  }
}
