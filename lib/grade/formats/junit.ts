/** JUnit's XML, as CI systems read it. */

import type { Report } from '../grade.js';
import { type Check, checksOf, escaped, explanationOf } from './checks.js';
import type { Setting } from './format.js';

export function junit(report: Report, { command }: Setting): string {
  const checks = checksOf(report);
  const count = (outcome: Check['outcome']) => checks.filter(check => check.outcome === outcome).length;
  const counts = `tests="${checks.length}" failures="${count('failed')}" errors="0" skipped="${count('not tested')}" time="${report.seconds}"`;
  const cases = checks.map(check => `    ${testCase(check, report)}`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escaped(`truefork grade: ${command.join(' ')}`)}" ${counts}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(check: Check, report: Report): string {
  const open = `<testcase classname="grade" name="${check.id}" time="0"`;
  const text = escaped(explanationOf(check, report));
  if (check.outcome === 'not tested') return `${open}><skipped message="not tested"/></testcase>`;
  if (check.outcome === 'failed')
    return `${open}><failure message="${escaped(check.finding?.what ?? 'not gradable')}">${text}</failure></testcase>`;
  return text === '' ? `${open}/>` : `${open}><system-out>${text}</system-out></testcase>`;
}
