import type { Clock } from '../../domain/clock.ts';
import type { Audit } from './audit.ts';
import type { AccessRecords } from './records-port.ts';

/** What the parts of the desk work with. */
export interface DeskParts {
  readonly records: AccessRecords;
  readonly clock: Clock;
  readonly audit: Audit;
  /** True for user names that are somebody's already: the admin's, those of runs. */
  readonly isTaken: (name: string) => boolean;
}
