// Troubles of the installation as a whole: its schedules, its notices and its inventory.
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { passTags } from '../../../lib/adapters/secrets-manager/operations.ts';
import { failingChannels } from '../../../lib/state/codec/channels.ts';
import { fromParts, toParts } from '../../../lib/state/codec/text.ts';
import type { Fault } from '../faults.ts';
import { channelName, type OperatedSandbox } from '../operated.ts';
import { prefix } from '../sandbox.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { dayMs, hourMs, type Trouble } from './trouble.ts';

/** The field of the tags that `notify` writes. */
const channelsField = 'channels';

/** By name, as people type it. */
export const installationTroubles: Readonly<Record<string, Trouble>> = {
  'function-silent': {
    what: 'no full pass of issue has ended for two days, as if its schedule were off',
    shows: ['NotRunning'],
    begin(sandbox) {
      const secret = findInstallation(sandbox);
      const before = secret.tags.get(passTags.issue);
      secret.setTags([[passTags.issue, new Date(Date.now() - 2 * dayMs).toISOString()]]);
      return {
        isThere: () => Date.now() - Date.parse(secret.tags.get(passTags.issue) ?? '') > dayMs,
        mend: () => secret.setTags([[passTags.issue, before ?? new Date().toISOString()]]),
      };
    },
  },
  'channel-hangs': channel('takes each notice and never answers', { kind: 'hang' }, 'no answer within 15 s'),
  'channel-errors': channel(
    'answers each notice with 500',
    { kind: 'error', code: 'Failed', status: 500, message: 'out of order' },
    'answered 500: out of order',
  ),
  'channel-gone': channel(
    'answers each notice with 404',
    { kind: 'error', code: 'Gone', status: 404, message: 'no_service' },
    'answered 404: no_service',
  ),
  entry: {
    what: 'the entry of shop is gone from the inventory, as after a bad merge',
    shows: ['Abandoned'],
    begin({ inventoryPath }) {
      const isShop = (entry: Entry) => entry.name === 'shop';
      const lost = readInventory(inventoryPath).certificates.find(isShop);
      if (!lost) throw new Error('the inventory has no entry shop to lose');
      const others = (entries: readonly Entry[]) => entries.filter((entry) => !isShop(entry));
      changeEntries(inventoryPath, others);
      return {
        isThere: () => !readInventory(inventoryPath).certificates.some(isShop),
        mend: () => changeEntries(inventoryPath, (entries) => [lost, ...others(entries)]),
      };
    },
  },
};

/** The receiver of notices fails, and has done so for two hours. Mended, it takes notices again; the next one
 *  that arrives shows it. */
function channel(what: string, fault: Fault, words: string): Trouble {
  return {
    what: `the receiver of notices ${what}, for two hours by now`,
    shows: ['ChannelFailing'],
    begin(sandbox) {
      const secret = findInstallation(sandbox);
      const field = fromParts(channelsField, secret.tags) ?? '';
      const known = failingChannels.read(field) ?? [];
      const others = known.filter((one) => one.channel !== channelName);
      const since = new Date(Date.now() - 2 * hourMs);
      const record = failingChannels.write([...others, { channel: channelName, since, words }]);
      secret.setTags(toParts(channelsField, record));
      return { mend: sandbox.faults.set('notices', 'webhook', fault, Infinity) };
    },
  };
}

/** The AWS secret of the installation, as `issue` makes it. */
function findInstallation({ secretsManager: { vault } }: OperatedSandbox): Secret {
  const name = `${prefix}/installation`;
  const found = vault.find(name);
  if (!found) throw new Error('nothing has run yet; let issue make a pass first: npx certrelay renew');
  return found;
}

interface Entry {
  readonly name: string;
}

/** @throws Error if the file is no inventory any more. */
function readInventory(path: string): { readonly certificates: readonly Entry[] } {
  const inventory = parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(inventory?.certificates))
    throw new Error(`${path} has no list of certificates; mend it with an editor`);
  return inventory;
}

function changeEntries(path: string, change: (entries: readonly Entry[]) => readonly Entry[]): void {
  const inventory = readInventory(path);
  writeFileSync(path, stringify({ ...inventory, certificates: change(inventory.certificates) }));
}
