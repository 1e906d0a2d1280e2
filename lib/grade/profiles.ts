/** A profile says which finding is an error, a warning, a note, or not looked for at all. */
import fs from 'node:fs';
import { type FindingId, findingIds, isFindingId, type Severity } from './findings.js';
import { gradeMisuse } from './misuse.js';

export type Weight = Severity | 'off';

export interface Profile {
  readonly name: string;
  readonly weights: Readonly<Record<FindingId, Weight>>;
  /** Faults may be injected, which a lecture that does not teach them does not ask for. */
  readonly injects: boolean;
}

/** What the slides teach. */
const taught = new Set<FindingId>([
  'connfd-leak',
  'listenfd-in-child',
  'zombies',
  'wait-once',
  'blocking-wait',
  'serial',
  'eintr-accept',
  'child-falls-through',
  'fork-bomb',
  'one-shot',
  'select-set',
]);

const robust: Profile = { name: 'robust', weights: weightsBy(() => 'error'), injects: true };

const lecture: Profile = {
  name: 'lecture',
  weights: weightsBy(id => (taught.has(id) ? 'error' : 'note')),
  injects: false,
};

function weightsBy(weightOf: (id: FindingId) => Weight): Record<FindingId, Weight> {
  return Object.fromEntries(findingIds.map(id => [id, weightOf(id)])) as Record<FindingId, Weight>;
}

interface ProfileFile {
  extends?: 'lecture' | 'robust';
  findings?: Record<string, Weight>;
}

/** @throws `ERR_TRUEFORK_GRADE` when it is neither a name nor a file in that form */
export function profileNamed(name: string): Profile {
  if (name === 'robust') return robust;
  if (name === 'lecture') return lecture;
  let given: ProfileFile;
  try {
    given = JSON.parse(fs.readFileSync(name, 'utf8'));
  } catch (error) {
    throw gradeMisuse(`--profile is lecture, robust or a JSON file: ${(error as Error).message}`);
  }
  const base = given.extends === undefined ? robust : profileNamed(given.extends);
  const weights = { ...base.weights };
  for (const [id, weight] of Object.entries(given.findings ?? {})) {
    if (!isFindingId(id)) throw gradeMisuse(`${name}: there is no finding "${id}"`);
    if (!['error', 'warning', 'note', 'off'].includes(weight))
      throw gradeMisuse(`${name}: "${id}" must be error, warning, note or off`);
    weights[id] = weight;
  }
  return { name, weights, injects: base.injects };
}
