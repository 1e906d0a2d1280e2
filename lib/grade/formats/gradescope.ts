/** Gradescope's results/results.json. */
import type { Report } from '../grade.js';
import { checksOf, explanationOf, nameOf } from './checks.js';

export function gradescope(report: Report): string {
  const tests = checksOf(report).map(check => ({
    name: nameOf(check.id),
    score: check.points,
    max_score: check.maxPoints,
    status: check.outcome === 'failed' ? 'failed' : 'passed',
    output: check.outcome === 'not tested' ? 'not tested' : explanationOf(check, report),
    visibility: 'visible',
  }));
  const output = [...report.notes.map(({ text }) => text), ...conductOf(report)].join('\n');
  return `${JSON.stringify({ execution_time: Math.round(report.seconds), output, tests }, null, 2)}\n`;
}

const conductOf = ({ conduct }: Report) =>
  conduct.length === 0 ? [] : [`The server ${conduct.join(', ')}.`];
