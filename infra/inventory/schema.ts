// Writes `certificates.schema.json`, the JSON Schema of the inventory, from the code that parses it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderJsonSchema } from '../../lib/inventory/schema.ts';

writeFileSync(join(import.meta.dirname, '../certificates.schema.json'), renderJsonSchema());
