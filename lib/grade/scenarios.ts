/** All scenarios, in the order in which they run. */
import type { FindingId } from './findings.js';
import type { Grading } from './grading.js';
import { severalClients } from './scenarios/several-clients.js';

export interface Scenario {
  readonly name: string;
  readonly decides: readonly FindingId[];
  /** Those of them that it finds by waiting in vain: a second, fresh server has to confirm them. */
  readonly confirms: readonly FindingId[];
  readonly needs?: 'trace';
  readonly injects?: boolean;
  /** False where what is known already leaves nothing to decide. */
  applies?(grading: Grading): boolean;
  run(grading: Grading): Promise<void>;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'several clients',
    decides: [
      'serial', 'blocking-wait', 'one-shot', 'select-set', 'connfd-leak', 'listenfd-in-child', 'child-falls-through',
      'eintr-accept', 'zombies', 'fork-bomb',
    ],
    confirms: ['serial', 'blocking-wait', 'select-set', 'one-shot', 'connfd-leak', 'zombies', 'eintr-accept'],
    run: severalClients,
  },
];
