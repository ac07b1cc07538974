// The option of every command that changes something.
import { Option } from 'commander';

/** `--dry-run`. */
export const dryRun = new Option('--dry-run', 'only say what would be done');
