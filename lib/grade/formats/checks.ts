/** A report as a list of checks, one for each finding that was looked for: what most formats want. */
import { type Finding, type FindingId, findingIds, kinds } from '../findings.js';
import type { Report } from '../grade.js';

export interface Check {
  readonly id: FindingId;
  readonly outcome: 'passed' | 'failed' | 'not tested';
  readonly finding?: Finding;
  readonly points: number;
  readonly maxPoints: number;
}

/** A warning is told, and costs nothing. What was not tested gives no points, and none can be lost. */
export function checksOf(report: Report): Check[] {
  const untested = new Set(report.notTested);
  return findingIds.flatMap((id): Check[] => {
    const finding = report.findings.find(each => each.id === id);
    if (finding !== undefined) {
      const fails = finding.severity === 'error';
      return [{ id, outcome: fails ? 'failed' : 'passed', finding, points: fails ? 0 : 1, maxPoints: 1 }];
    }
    if (untested.has(id)) {
      // A server that cannot be graded has earned nothing.
      const maxPoints = report.notGradable === undefined ? 0 : 1;
      return [{ id, outcome: maxPoints === 0 ? 'not tested' : 'failed', points: 0, maxPoints }];
    }
    return report.passed.includes(id) ? [{ id, outcome: 'passed', points: 1, maxPoints: 1 }] : [];
  });
}

export const nameOf = (id: FindingId) => `${id}: ${kinds[id].mend}`;

/** What a student reads about one check that failed. */
export function explanationOf({ finding, outcome }: Check, { notGradable }: Report): string {
  if (finding === undefined)
    return outcome === 'failed' ? `The server could not be graded: ${notGradable}` : '';
  const { what, evidence, where, lecture, mend } = finding;
  return [
    what,
    `evidence: ${evidence}`,
    ...(where === undefined ? [] : [`where: ${where}`]),
    `lecture: ${lecture}`,
    `mend: ${mend}`,
  ].join('\n');
}

export function scoreOf(checks: readonly Check[]): { score: number; max: number } {
  const sum = (of: (check: Check) => number) => checks.reduce((total, check) => total + of(check), 0);
  return { score: sum(({ points }) => points), max: sum(({ maxPoints }) => maxPoints) };
}

/** For XML and HTML. Control characters are not allowed in XML 1.0 at all. */
export function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is removed
  const allowed = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '?');
  return allowed
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
