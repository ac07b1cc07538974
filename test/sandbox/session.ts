// One run of the sandbox for a person: it has a folder, says what to type, and ends by Ctrl-C.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { listCommands, quote, writeEnvironment } from './commands.ts';
import { type SandboxControl, startControl } from './control.ts';
import { startDashboard } from './dashboard/server.ts';
import { onEnd } from './ending.ts';
import { claimFolder, leaveFolder } from './folder.ts';
import { narrate } from './narration.ts';
import { type OperatedSandbox, startOperatedSandbox } from './operated.ts';
import { createOrders } from './orders.ts';
import { root } from './sandbox.ts';

/** A signature is good for five minutes. */
const signAgainMs = 60_000;

/** Runs until a signal, its terminal or its npm ends it, then ends the process.
 *  @throws Error, with what to do, if the folder is not free. */
export async function runSandbox({
  folder,
  insyncMs,
}: {
  readonly folder: string;
  readonly insyncMs: number;
}): Promise<void> {
  const control = await startControl(root);
  try {
    await claimFolder(folder, control.owner);
  } catch (error) {
    control.stop();
    throw error;
  }
  const started = startOperatedSandbox({
    folder,
    onLine: (line) => {
      const told = narrate(line);
      if (told) console.log(told);
    },
  });
  const stop = async () => {
    control.stop();
    await started.then((sandbox) => sandbox.stop()).catch(() => undefined);
    await leaveFolder(folder, control.owner);
    process.exit(0);
  };
  onEnd(() => void stop());
  const sandbox = await started.catch(async (error: unknown) => {
    control.stop();
    await leaveFolder(folder, control.owner);
    throw error;
  });
  sandbox.route53.settings.insyncMs = insyncMs;
  sandbox.agent.start();
  control.open(createOrders(sandbox));
  const dashboard = await startDashboard(sandbox);
  console.log(await introduce({ ...sandbox, dashboard: dashboard.url }, folder, control));
}

/** Writes the files of the folder, and returns what is printed. */
async function introduce(
  sandbox: OperatedSandbox & { readonly dashboard: string },
  folder: string,
  { owner }: SandboxControl,
): Promise<string> {
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubernetes.kubeconfig('admin'), { mode: 0o600 });
  const run = await writeEnvironment(folder, root, {
    ...sandbox.environment,
    // What the sandbox does not imitate is refused here, and never asked of AWS.
    AWS_ENDPOINT_URL: owner.control.url,
    KUBECONFIG: kubeconfig,
  });
  const registration = join(folder, 'register.json');
  const sign = async () => {
    const fresh = `${registration}.new`;
    await writeFile(fresh, JSON.stringify(registrationEvent(sandbox.webhookSecret), null, 2));
    await rename(fresh, registration);
  };
  await sign();
  setInterval(() => void sign().catch(() => undefined), signAgainMs).unref();

  const shown = listCommands(run, registration).map(({ what, command }) => `  ${what}:\n    ${command}\n`);
  return `
The sandbox is up. Its dashboard, with buttons that work, is ${sandbox.dashboard}
Paste these into another terminal, whatever folder and shell it is in:

${shown.join('\n')}
  Break something and mend it again; without a name, it says what there is:
    ${quote(run)} npm run --silent sandbox -- break cluster --folder ${quote(folder)}
    ${quote(run)} npm run --silent sandbox -- mend all --folder ${quote(folder)}

The inventory is ${sandbox.inventoryPath} (edit it and order again).
In a POSIX shell  . ${quote(join(folder, 'environment'))}  gives the rest of your session the same environment.
Its log follows. Ctrl-C ends everything.
`;
}

/** A signed request as API Gateway hands it to the function. */
function registrationEvent(secret: string): object {
  const body = JSON.stringify({ name: 'customer', domains: ['customer.example.org'] });
  const now = new Date();
  return {
    version: '2.0',
    requestContext: { http: { method: 'POST' } },
    headers: {
      'content-type': 'application/json',
      'webhook-id': 'msg_by_hand',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('msg_by_hand', now, body),
    },
    body,
    isBase64Encoded: false,
  };
}
