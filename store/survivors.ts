/** Child processes that outlived a killed owner. They still write in the workspace, so they end before anybody else
 *  gets its lock or its run. */

import { type Reading, rowKey } from './database.ts';
import type { LeaseRow } from './leases.ts';
import type { Owner } from './port.ts';
import { killGroup, type ProcessGroup } from './process-identity.ts';

/** Kills what is left of every process group recorded by runs of this dead owner. */
export function killSurvivors(database: Reading, dead: Owner): void {
  const runs = database
    .range<LeaseRow>('l/')
    .filter(({ value }) => value.owner.instance === dead.instance)
    .map(({ key }) => key.slice('l/'.length));
  for (const run of runs) {
    for (const { value } of database.range<Partial<ProcessGroup>>(rowKey(run, 'k/'))) {
      const { pgid, started, boot } = value;
      if (pgid !== undefined && started !== undefined && boot !== undefined)
        killGroup({ pgid, started, boot });
    }
  }
}
