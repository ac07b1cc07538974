// `certrelay export`: writes stored certificates to files.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateNamePattern } from '../../../lib/certificate/certificate-name.ts';
import { explainFileError } from '../../node/file-errors.ts';
import { type AnswerFields, fieldsOf, listOf, textOf, textsOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError } from '../errors.ts';
import { readNames } from '../names.ts';
import { printResult, reportFailures, say } from '../print.ts';

/** Runs it. The answer has private keys if they were asked for: it is written to files, and never shown. */
export const run: RunCommand = async (session, [given], options) => {
  const { dir, format, target, key, overwrite } = options;
  const event = {
    certificates: readNames(given),
    ...(format ? { format } : {}),
    ...(target ? { target } : {}),
    ...(key ? { key } : {}),
  };
  const report = await session.call('export', event, { isRead: true });
  const files = listOf(report, 'certificates').flatMap(listFiles);
  await writeFiles(files, String(dir), { ifThere: overwrite ? 'replace' : 'refuse' });
  const paths = files.map(({ path }) => join(String(dir), path));
  await printResult(session, {
    data: { files: paths, ok: report.ok, failures: report.failures },
    text: () => paths.map((path) => `${path} written\n`).join(''),
    names: paths,
  });
  const withheld = listOf(report, 'certificates').flatMap((one) => textsOf(one, 'withheld'));
  if (withheld.length > 0)
    say(session, `left out, because they have private keys: ${[...new Set(withheld)].join(', ')}; add --key`);
  return reportFailures(session, report);
};

interface ExportedFile {
  /** Below the folder. */
  readonly path: string;
  readonly text: string;
}

/** Only names that are names of files: nothing is written beside the folder. */
function listFiles(exported: AnswerFields): readonly ExportedFile[] {
  const name = textOf(exported, 'name');
  if (!certificateNamePattern.test(name)) return [];
  const { manifest } = exported;
  const files = Object.entries(fieldsOf(exported.files)).flatMap(([file, text]): readonly ExportedFile[] =>
    typeof text === 'string' && /^\w[\w.-]{0,100}$/.test(file) ? [{ path: join(name, file), text }] : [],
  );
  return typeof manifest === 'string' ? [{ path: `${name}.yaml`, text: manifest }, ...files] : files;
}

async function writeFiles(
  files: readonly ExportedFile[],
  folder: string,
  { ifThere }: { readonly ifThere: 'replace' | 'refuse' },
): Promise<void> {
  for (const { path, text } of files) {
    try {
      await mkdir(join(folder, path, '..'), { recursive: true, mode: 0o700 });
      // What is there may be open to others, or lead elsewhere.
      if (ifThere === 'replace') await rm(join(folder, path), { force: true });
      await writeFile(join(folder, path), text, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      const isThere = Object(error).code === 'EEXIST';
      const advice = isThere
        ? 'it is there already: take another --dir, or add --overwrite'
        : explainFileError(error);
      throw new CommandError('failed', `${join(folder, path)} cannot be written: ${advice}`);
    }
  }
}
