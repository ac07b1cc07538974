// Whose a sandbox's folder is: one at a time, said in words, taken over from one that is gone.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { giveOrder, startControl } from './control.ts';
import { claimFolder, leaveFolder, readOwner, signFolder } from './folder.ts';
import { startSandbox } from './sandbox.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'certrelay-folder-')), 'sandbox');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

async function start(checkout: string) {
  const control = await startControl(checkout);
  onTestFinished(() => control.stop());
  return control;
}

test('a folder says whose it is, and a second sandbox is refused with whose it is and what to do', async () => {
  const [first, second] = await Promise.all([start('/home/one'), start('/home/two')]);
  await claimFolder(folder, first.owner);
  const { process: id, startedAt } = first.owner;
  expect(await readOwner(folder)).toMatchObject({ process: id, checkout: '/home/one', startedAt });
  await expect(claimFolder(folder, second.owner)).rejects.toThrow(
    `${folder} belongs to the sandbox of /home/one, process ${id}, started at ${startedAt}.\nEnd that one (Ctrl-C, or kill ${id}), or give this one another folder: --folder PATH`,
  );
  await leaveFolder(folder, second.owner);
  expect(await readOwner(folder)).toMatchObject({ checkout: '/home/one' });
  await leaveFolder(folder, first.owner);
  await claimFolder(folder, second.owner);
});

test('what a sandbox left that is gone is taken over, also if its process id is somebody’s by now', async () => {
  const [gone, next] = await Promise.all([start('/home/one'), start('/home/two')]);
  await claimFolder(folder, gone.owner);
  await writeFile(join(folder, 'kubeconfig'), 'old');
  gone.stop();
  await expect(giveOrder(folder, ['broken'])).rejects.toThrow(`no sandbox runs in ${folder}; start one with`);
  await claimFolder(folder, next.owner);
  expect(await readdir(folder)).toEqual(['sandbox.json']);
  expect(await readOwner(folder)).toMatchObject({ checkout: '/home/two' });
});

test('of several that find what one left, one has the folder', async () => {
  const gone = await start('/home/one');
  await claimFolder(folder, gone.owner);
  gone.stop();
  const controls = await Promise.all(Array.from({ length: 8 }, (_, index) => start(`/home/${index}`)));
  const claims = await Promise.allSettled(controls.map(({ owner }) => claimFolder(folder, owner)));
  const winners = controls.filter((_, index) => claims[index]?.status === 'fulfilled');
  expect(winners.map(({ owner }) => owner)).toEqual([await readOwner(folder)]);
  expect(await readdir(join(folder, '..'))).toEqual(['sandbox']);
});

test('a folder with anything else in it is refused, and stays as it is', async () => {
  const { owner } = await start('/home/one');
  await claimFolder(folder, owner);
  await rm(join(folder, 'sandbox.json'));
  await writeFile(join(folder, 'thesis.txt'), 'mine');
  await expect(claimFolder(folder, owner)).rejects.toThrow(
    'holds files that are no sandbox’s; name an empty',
  );
  expect(await readdir(folder)).toEqual(['thesis.txt']);
});

test('orders are taken only with the word that the folder has, and only once the sandbox is up', async () => {
  const control = await start('/home/one');
  await claimFolder(folder, control.owner);
  await expect(giveOrder(folder, ['broken'])).rejects.toThrow('still starting');
  control.open(async (words) => words.join('|'));
  expect(await giveOrder(folder, ['break', 'a b&c'])).toBe('break|a b&c');
  const { url, token } = control.owner.control;
  expect((await fetch(`${url}/order?word=broken`)).status).toBe(403);
  const wrong = { ...control.owner, control: { url, token: `${token}x` } };
  await signFolder(folder, wrong);
  await expect(giveOrder(folder, ['broken'])).rejects.toThrow('this is not your sandbox');
});

test('a sandbox of a test says in its folder whose it was', async () => {
  const sandbox = await startSandbox({ zones: [] });
  onTestFinished(() => sandbox.stop());
  expect(await readOwner(join(sandbox.inventoryPath, '..'))).toEqual({
    process: process.pid,
    checkout: join(import.meta.dirname, '../..'),
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
}, 120_000);
