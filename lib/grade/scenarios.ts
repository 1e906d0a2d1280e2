/** All scenarios, in the order in which they run. */
import type { FindingId } from './findings.js';
import type { Grading } from './grading.js';
import { manyDescriptors } from './scenarios/descriptors.js';
import { failingFork } from './scenarios/failing-fork.js';
import { inPieces } from './scenarios/pieces.js';
import { printedLines } from './scenarios/printed.js';
import { startAgain } from './scenarios/restart.js';
import { severalClients } from './scenarios/several-clients.js';
import { shortWrites } from './scenarios/short-writes.js';
import { slowClient } from './scenarios/slow-client.js';
import { endTogether } from './scenarios/together.js';
import { tracedLife } from './scenarios/traced-life.js';
import { vanishedClient } from './scenarios/vanished-client.js';

export interface Scenario {
  readonly name: string;
  readonly decides: readonly FindingId[];
  /** Those of them that it finds by waiting in vain: a second, fresh server has to confirm them. */
  readonly confirms?: readonly FindingId[];
  readonly needs?: 'trace';
  readonly injects?: boolean;
  /** Findings that leave it nothing to decide: one cause is one finding. */
  readonly unless?: readonly FindingId[];
  run(grading: Grading): Promise<void>;
}

const notConcurrent = ['serial', 'blocking-wait', 'one-shot', 'select-set'] as const;
const childrenStay = ['child-falls-through', 'eintr-accept', 'fork-bomb'] as const;

export const scenarios: readonly Scenario[] = [
  {
    name: 'several clients',
    decides: [
      ...notConcurrent,
      ...childrenStay,
      ...(['connfd-leak', 'listenfd-in-child', 'zombies'] as const),
    ],
    confirms: [...notConcurrent, 'connfd-leak', 'zombies', 'eintr-accept'],
    run: severalClients,
  },
  {
    name: 'the life of the server, traced',
    needs: 'trace',
    decides: ['unsafe-handler', 'eintr-accept', 'child-falls-through'],
    unless: ['fork-bomb'],
    run: tracedLife,
  },
  {
    name: 'children that end together',
    decides: ['wait-once'],
    confirms: ['wait-once'],
    unless: [...notConcurrent, ...childrenStay, 'zombies'],
    run: endTogether,
  },
  {
    name: 'a request in pieces',
    decides: ['short-read'],
    confirms: ['short-read'],
    unless: ['fork-bomb'],
    run: inPieces,
  },
  {
    name: 'a write that is cut short',
    needs: 'trace',
    injects: true,
    decides: ['short-write'],
    confirms: ['short-write'],
    unless: ['fork-bomb', 'short-read'],
    run: shortWrites,
  },
  {
    name: 'a slow client',
    decides: ['slow-client', 'short-write'],
    confirms: ['slow-client', 'short-write'],
    unless: [...notConcurrent, 'fork-bomb'],
    run: slowClient,
  },
  {
    name: 'a client that vanishes',
    decides: ['sigpipe'],
    confirms: ['sigpipe'],
    unless: ['one-shot', 'fork-bomb'],
    run: vanishedClient,
  },
  {
    name: 'what is printed',
    decides: ['stdio-twice', 'exit-in-child'],
    confirms: ['stdio-twice', 'exit-in-child'],
    unless: ['one-shot', ...childrenStay],
    run: printedLines,
  },
  {
    name: 'a second start',
    decides: ['no-reuseaddr'],
    unless: ['fork-bomb'],
    run: startAgain,
  },
  {
    name: 'descriptors from 1024 on',
    decides: ['fd-setsize'],
    unless: [...notConcurrent, 'fork-bomb'],
    run: manyDescriptors,
  },
  {
    name: 'a fork that fails',
    needs: 'trace',
    injects: true,
    decides: ['fork-failure'],
    confirms: ['fork-failure'],
    unless: ['one-shot', ...childrenStay],
    run: failingFork,
  },
];
