// What `npm run sandbox` prints, pasted as a person would, with the real deploy tool and the real kubectl.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locate } from './parts/locate.ts';
import { makeDirectory } from './parts/process.ts';

const checkout = join(import.meta.dirname, '../..');
const kubectl = locate('kubectl');

let home: string;
let main: ChildProcess;
let printed = '';

beforeAll(async () => {
  home = await makeDirectory('sandbox-commands');
  const args = ['test/sandbox/main.ts', '--folder', join(home, 'my sandbox')];
  main = spawn(process.execPath, args, { cwd: checkout, env: { ...process.env, INIT_CWD: home } });
  // Read to the end: a sandbox whose log nobody takes any more ends.
  await new Promise<void>((done) => {
    main.stdout?.on('data', (chunk: Buffer) => {
      printed += String(chunk);
      if (printed.includes('Ctrl-C ends everything.')) done();
    });
  });
});
afterAll(async () => {
  const ended = new Promise((done) => main.once('exit', done));
  main.kill('SIGINT');
  await ended;
  await rm(home, { recursive: true, force: true });
});

if (kubectl === undefined) test.todo('the sandbox’s commands: run test/real/install kubectl');

test.runIf(kubectl)(
  'each command that the sandbox prints does what it says, from another folder',
  async () => {
    const commands = printed.split('\n').flatMap((line) => /^ {4}(\S.*)$/.exec(line)?.[1] ?? []);
    expect(commands.length).toBeGreaterThan(9);
    const places = [dirname(process.execPath), dirname(kubectl ?? ''), process.env.PATH];
    const env = { PATH: places.join(delimiter), HOME: home, AWS_PROFILE: 'production', NO_COLOR: '1' };
    const outputs: string[] = [];
    for (const command of commands) {
      const pasted = promisify(execFile)('sh', ['-c', command], { cwd: '/', env });
      // `invoke local` without data reads what is not a terminal to its end.
      pasted.child.stdin?.end();
      const { stdout } = await pasted;
      outputs.push(stdout);
    }
    const said = [
      /shop +order/,
      /shop +Progressing/,
      /^DAY \(UTC\) [\s\S]+ depot shop\n/,
      /"decision": "order"/,
      /"outcome": "issued"/,
      /"target": "lab\/shop\/shop-tls"/,
      /customer\.example\.org/,
      /^certificate\/other registered: /,
      /"summary"/,
      /^shop\n +health +Healthy/,
      /"tls\.crt"/,
      /^NAME +TYPE +DATA +AGE\nshop-tls +kubernetes\.io\/tls +2 /,
      /^broken: cluster: /,
      /^mended: cluster\nnothing is broken\n$/,
    ];
    expect(outputs).toEqual(said.map((pattern) => expect.stringMatching(pattern)));
  },
);
