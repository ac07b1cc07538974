// Runs one simulation from its seed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makePool } from './issuing.ts';
import { drawOptions } from './options.ts';
import { Random } from './random.ts';
import { Simulation, type SimulationResult } from './simulation.ts';

const lib = join(import.meta.dirname, '../../lib');
/** Rooms with files that are loaded when they are first needed. */
const rooms = ['issue', 'deploy', 'policy', 'adapters/secrets-manager'];
let isWarm = false;

/** Runs the simulation of a seed. The same seed and days give the same events.
 *  @param days How long the faults go on; absent: drawn from the seed. */
export async function simulate(seed: string, days?: number): Promise<SimulationResult> {
  if (!isWarm) await warmUp();
  isWarm = true;
  return runOnce(seed, days);
}

/** Loading a file takes real time, which is not to pass in the middle of a simulation: the order of its calls
 *  would depend on it. */
async function warmUp(): Promise<void> {
  for (const room of rooms) {
    for (const file of readdirSync(join(lib, room), { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.ts')) await import(pathToFileURL(join(lib, room, file)).href);
    }
  }
  await runOnce('warm', 1);
}

async function runOnce(seed: string, days: number | undefined): Promise<SimulationResult> {
  const pool = await makePool();
  const random = new Random(seed);
  return new Simulation(drawOptions(seed, random, days), pool, random).run();
}
