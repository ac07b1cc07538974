// What a person can break in a running sandbox, and mend: `npm run sandbox -- break NAME`.
import { certificateTroubles } from './troubles/certificates.ts';
import { clusterTroubles } from './troubles/clusters.ts';
import { installationTroubles } from './troubles/installation.ts';
import { serviceTroubles } from './troubles/services.ts';
import type { Trouble } from './troubles/trouble.ts';

/** By name, as people type it. */
export const troubles: Readonly<Record<string, Trouble>> = {
  ...clusterTroubles,
  ...serviceTroubles,
  ...installationTroubles,
  ...certificateTroubles,
};
