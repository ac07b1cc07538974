// The sandbox's AWS Certificate Manager keeps the contract.
import { startAcm } from '../sandbox/acm/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { certificateManagerContract } from './certificate-manager.ts';

certificateManagerContract('sandbox', async () => {
  const acm = await startAcm({ journal: new Journal(), faults: new Faults() });
  const credentials = { accessKeyId: accessKeyOf('deploy'), secretAccessKey: 'none' };
  return { config: { endpoint: acm.url, credentials }, stop: () => acm.stop() };
});
