// Runs one simulation from its seed.
import { makePool } from './issuing.ts';
import { drawOptions } from './options.ts';
import { Random } from './random.ts';
import { Simulation, type SimulationResult } from './simulation.ts';

let isWarm = false;

/** Runs the simulation of a seed. The same seed and days give the same events.
 *  @param days How long the faults go on; absent: drawn from the seed. */
export async function simulate(seed: string, days?: number): Promise<SimulationResult> {
  // The stories load some of their files when they are first needed: not in the middle of a simulation.
  if (!isWarm) await runOnce('warm', 1);
  isWarm = true;
  return runOnce(seed, days);
}

async function runOnce(seed: string, days: number | undefined): Promise<SimulationResult> {
  const pool = await makePool();
  const random = new Random(seed);
  return new Simulation(drawOptions(seed, random, days), pool, random).run();
}
