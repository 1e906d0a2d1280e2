/** The report itself. */
import type { Report } from '../grade.js';

export function json({
  findings,
  notes,
  notTested,
  passed,
  conduct,
  model,
  notGradable,
  seconds,
}: Report): string {
  const plain = findings.map(({ picture: _, ...finding }) => finding);
  const report = { findings: plain, notes, notTested, passed, conduct, model, notGradable, seconds };
  return `${JSON.stringify(report, null, 2)}\n`;
}
