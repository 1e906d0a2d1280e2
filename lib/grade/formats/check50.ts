/** check50's JSON, as `check50 -o json` writes it. What was not tested has not passed and has not failed: null. */
import type { Report } from '../grade.js';
import { checksOf, explanationOf, nameOf } from './checks.js';

/** The version of the format. */
const version = '3.3.0';

export function check50(report: Report): string {
  const results = checksOf(report).map(check => ({
    name: check.id,
    description: nameOf(check.id),
    passed: check.outcome === 'not tested' ? null : check.outcome === 'passed',
    log: explanationOf(check, report).split('\n').filter(Boolean),
    cause: causeOf(check.outcome, check.finding?.what, check.finding?.mend),
    data: {},
    dependency: null,
  }));
  return `${JSON.stringify({ slug: 'truefork/grade', results, version }, null, 2)}\n`;
}

function causeOf(outcome: string, what?: string, mend?: string) {
  if (outcome === 'not tested') return { rationale: 'not tested', help: null };
  if (outcome === 'failed')
    return { rationale: what ?? 'the server could not be graded', help: mend ?? null };
  return null;
}
