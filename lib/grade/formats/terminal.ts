/** For a person at a terminal. */
import { styleText } from 'node:util';
import type { Report } from '../grade.js';
import type { Setting } from './format.js';

export function terminal(report: Report, { command, isTerminal }: Setting): string {
  const paint = (style: 'red' | 'yellow' | 'green' | 'dim' | 'bold', text: string) =>
    isTerminal && !process.env.NO_COLOR ? styleText(style, text) : text;
  const lines: string[] = [];
  for (const { id, severity, what, evidence, where, lecture, mend } of report.findings) {
    const mark = severity === 'error' ? paint('red', '✗') : paint('yellow', '!');
    lines.push(`${mark} ${paint('bold', id.padEnd(20))} ${what}`);
    lines.push(`    evidence   ${evidence}`);
    if (where !== undefined) lines.push(`    where      ${where}`);
    lines.push(`    lecture    ${lecture}`, `    mend       ${mend}`, '');
  }
  for (const { text } of report.notes) lines.push(`  note: ${text}`);
  if (report.conduct.length > 0)
    lines.push(paint('yellow', `  conduct: the server ${report.conduct.join(', ')}`));
  if (report.notTested.length > 0) lines.push(paint('dim', `  not tested: ${report.notTested.join(', ')}`));
  lines.push(verdict(report, command, paint));
  return `${lines.join('\n')}\n`;
}

function verdict(
  { findings, passed, notGradable, model, seconds }: Report,
  command: readonly string[],
  paint: (style: 'red' | 'green', text: string) => string,
): string {
  const name = command.join(' ');
  if (notGradable !== undefined && findings.length === 0)
    return paint('red', `${name} cannot be graded: ${notGradable}`);
  const how = model === undefined ? '' : ` (${model})`;
  const text = `${name}${how}: ${findings.length === 0 ? 'no findings' : `${findings.length} finding${findings.length === 1 ? '' : 's'}`}, ${passed.length} checks passed, ${seconds} s`;
  return paint(findings.some(({ severity }) => severity === 'error') ? 'red' : 'green', text);
}
