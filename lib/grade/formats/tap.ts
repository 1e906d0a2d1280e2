/** The Test Anything Protocol, version 14. */
import type { Report } from '../grade.js';
import { type Check, checksOf, explanationOf } from './checks.js';

export function tap(report: Report): string {
  const checks = checksOf(report);
  const lines = checks.flatMap((check, index) => lineOf(check, index + 1, report));
  return ['TAP version 14', `1..${checks.length}`, ...lines, ''].join('\n');
}

function lineOf(check: Check, number: number, report: Report): string[] {
  const { id, outcome } = check;
  if (outcome === 'not tested') return [`ok ${number} - ${id} # SKIP not tested`];
  const line = `${outcome === 'failed' ? 'not ok' : 'ok'} ${number} - ${id}`;
  const text = explanationOf(check, report);
  if (text === '') return [line];
  return [line, '  ---', '  message: |', ...text.split('\n').map(each => `    ${each}`), '  ...'];
}
