// Files share a process: the installation that commands in messages are for is none again before each test.
import { beforeEach } from 'vitest';
import { setCommandPlace } from '../lib/policy/commands.ts';

beforeEach(() => setCommandPlace({}));
