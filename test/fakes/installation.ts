// The store of what belongs to no certificate, in memory.
import type { InstallationRecord, InstallationStore } from '../../lib/ports/installation.ts';
import type { FailingChannel, ToldIncident } from '../../lib/state/channels.ts';
import { Failures } from './failures.ts';

/** What belongs to no certificate, in memory. */
export class FakeInstallation implements InstallationStore {
  readonly failures = new Failures();
  record: InstallationRecord | undefined;

  async read() {
    this.failures.check('read');
    return this.record;
  }

  async create(record: Pick<InstallationRecord, 'firstRun' | 'isUpgraded'>) {
    this.failures.check('create');
    this.record ??= { ...record, lastPass: 'open' };
  }

  async recordPass({ endedAt, comparedUntil }: { readonly endedAt: Date; readonly comparedUntil: Date }) {
    this.failures.check('recordPass');
    if (!this.record) throw new Error('the AWS secret of the installation does not exist');
    this.record = { ...this.record, lastPass: endedAt, comparedUntil };
  }

  async recordChannels(channels: readonly FailingChannel[]) {
    this.failures.check('recordChannels');
    if (!this.record) throw new Error('the AWS secret of the installation does not exist');
    this.record = { ...this.record, failingChannels: channels.length > 0 ? channels : undefined };
  }

  async recordIncidents(toldIncidents: readonly ToldIncident[]) {
    this.failures.check('recordIncidents');
    if (!this.record) throw new Error('the AWS secret of the installation does not exist');
    this.record = { ...this.record, toldIncidents };
  }
}
