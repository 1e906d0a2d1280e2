/** Grades one server: all scenarios in turn, each on a fresh start, and what they say put together. */
import { native } from '../binding/native.js';
import { type Finding, type FindingId, findingIds, kinds, type Observed } from './findings.js';
import { Grading, type GradingOptions, NotGradable, Stopped } from './grading.js';
import { type Budget, Unfinished } from './patience.js';
import type { Profile } from './profiles.js';
import { type Scenario, scenarios } from './scenarios.js';
import { killAll, NotListening } from './server.js';
import { NoTrace } from './traced-server.js';

export interface Note {
  readonly id?: FindingId;
  readonly text: string;
}

export interface Report {
  readonly findings: readonly Finding[];
  readonly notes: readonly Note[];
  readonly notTested: readonly FindingId[];
  readonly passed: readonly FindingId[];
  readonly conduct: readonly string[];
  readonly model?: string;
  /** Why it could not be graded. */
  readonly notGradable?: string;
  readonly seconds: number;
}

export interface GradeOptions extends GradingOptions {
  readonly profile: Profile;
  readonly traces: boolean;
  readonly only?: ReadonlySet<FindingId>;
  readonly onScenario?: (name: string) => void;
}

export async function grade(options: GradeOptions): Promise<Report> {
  native.becomeSubreaper();
  const startedAt = performance.now();
  const grading = new Grading(options);
  let notGradable: string | undefined;
  try {
    await withinTime(runAll(grading, options), options.budget);
  } catch (error) {
    if (error instanceof NotListening) {
      notGradable = error.message;
      if (error.hangs) grading.conduct.add('hangs');
    } else if (error instanceof NotGradable) notGradable = error.message;
    else if (error instanceof Stopped) notGradable = grading.found.size > 0 ? undefined : error.message;
    else if (error instanceof Unfinished) grading.note(error.message);
    else throw error;
  }
  return {
    ...summary(grading, options),
    ...(notGradable && { notGradable }),
    seconds: secondsSince(startedAt),
  };
}

const secondsSince = (then: number) => Math.round((performance.now() - then) / 10) / 100;

/** How long a run that has noticed the end of its time may take to end its server. */
const endPatienceMs = 2000;
/** A longer timer fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Holds the time of the whole grading over every wait, also over those that do not look at it, such as that for a process to end.
 * @throws {Unfinished}
 */
async function withinTime(run: Promise<void>, { until }: Budget): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => {
      killAll();
      reject(new Unfinished('the time for the whole grading is over'));
    };
    timer = setTimeout(giveUp, Math.min(until + endPatienceMs - performance.now(), longestTimerMs));
  });
  try {
    await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function runAll(grading: Grading, options: GradeOptions): Promise<void> {
  for (const [index, scenario] of scenarios.entries()) {
    if (!isWanted(scenario, options) && index > 0) continue;
    if (scenario.needs === 'trace' && grading.cannotTrace) continue;
    options.onScenario?.(scenario.name);
    await runConfirmed(grading, scenario);
  }
}

function isWanted(scenario: Scenario, { traces, profile, only }: GradeOptions): boolean {
  if (scenario.needs === 'trace' && !traces) return false;
  if (scenario.injects && !profile.injects) return false;
  return scenario.decides.some(id => profile.weights[id] !== 'off' && (only?.has(id) ?? true));
}

/** What was found by waiting in vain must be found on a second, fresh server, too. */
async function runConfirmed(grading: Grading, scenario: Scenario): Promise<void> {
  const before = new Set(grading.found.keys());
  const unless = scenario.unless ?? [];
  if (grading.has(...unless) || unless.some(id => grading.disputed.has(id))) return;
  await attempt(grading, scenario);
  const accused = [...grading.found.values()].filter(({ id }) => !before.has(id));
  const confirms = scenario.confirms ?? [];
  if (!accused.some(({ id }) => confirms.includes(id))) return;
  for (const { id } of accused) {
    grading.found.delete(id);
    grading.disputed.add(id);
  }
  await attempt(grading, scenario);
  for (const id of [...grading.found.keys()])
    if (!before.has(id) && !accused.some(each => each.id === id)) {
      grading.found.delete(id);
      grading.disputed.add(id);
    }
  for (const observed of accused)
    if (!confirms.includes(observed.id) && !grading.passed.has(observed.id)) grading.observe(observed);
  for (const id of grading.found.keys()) grading.disputed.delete(id);
  for (const id of grading.disputed) if (grading.passed.has(id)) grading.disputed.delete(id);
}

/** A server that cannot be started for a later scenario is not judged by it. */
async function attempt(grading: Grading, scenario: Scenario): Promise<void> {
  try {
    await scenario.run(grading);
  } catch (error) {
    if (error instanceof NoTrace) grading.tracingFails(error.message);
    else if (error instanceof NotListening && grading.model !== undefined)
      grading.note(`${scenario.name}: ${error.message}`);
    else throw error;
  }
}

function summary(grading: Grading, { profile, only, expected }: GradeOptions): Omit<Report, 'seconds'> {
  const wanted = (id: FindingId) => profile.weights[id] !== 'off' && (only?.has(id) ?? true);
  const findings: Finding[] = [];
  const notes: Note[] = grading.notes.map(text => ({ text }));
  for (const id of findingIds) {
    const observed = grading.found.get(id);
    if (observed === undefined || !wanted(id)) continue;
    const finding = findingOf(observed, profile);
    if (finding.severity === 'note') notes.push({ id, text: `${finding.what} (${finding.evidence})` });
    else findings.push(finding);
  }
  const { model } = grading;
  if (expected !== undefined && model !== undefined && model !== expected)
    notes.push({ text: `The server was to be of the model "${expected}", and works as "${model}".` });
  return {
    findings,
    notes,
    notTested: grading.notTested.filter(wanted),
    passed: [...grading.passed].filter(id => !grading.found.has(id) && wanted(id)),
    conduct: [...grading.conduct],
    ...(model !== undefined && { model }),
  };
}

function findingOf(observed: Observed, profile: Profile): Finding {
  const severity = profile.weights[observed.id];
  return { ...observed, severity: severity === 'off' ? 'note' : severity, ...kinds[observed.id] };
}
