// Runs one simulation from its seed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makePool } from './issuing.ts';
import { drawOptions, withoutFaults } from './options.ts';
import { Random } from './random.ts';
import { type SimulatedLook, Simulation, type SimulationResult } from './simulation.ts';

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

/** What a quiet simulation did, and what was stored when somebody looked. */
export interface QuietSimulation {
  readonly result: SimulationResult;
  readonly seen: SimulatedLook;
}

/** Runs the simulation of a seed with nothing that fails and nobody who interferes, and looks at what is
 *  stored `after` milliseconds. */
export async function simulateQuietly(seed: string, days: number, after: number): Promise<QuietSimulation> {
  if (!isWarm) await warmUp();
  isWarm = true;
  const pool = await makePool();
  const random = new Random(seed);
  const simulation = new Simulation(withoutFaults(drawOptions(seed, random, days)), pool, random);
  let seen: SimulatedLook | undefined;
  simulation.lookAfter(after, (found) => {
    seen = found;
  });
  const result = await simulation.run();
  if (!seen) throw new Error('the simulation ended before anybody looked');
  return { result, seen };
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
