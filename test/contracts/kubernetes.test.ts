// The sandbox's Kubernetes API server against the contract.
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes } from '../sandbox/kubernetes/server.ts';
import { describeKubernetes } from './kubernetes.ts';

describeKubernetes('embedded Kubernetes', () =>
  startKubernetes({ users: ['certrelay'] }, { journal: new Journal(), faults: new Faults() }),
);
