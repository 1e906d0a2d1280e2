/** One page without network: the findings, with the picture of what happened beside each. */

import type { Report } from '../grade.js';
import { checksOf, escaped } from './checks.js';
import type { Setting } from './format.js';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 0 }
section { border-left: 4px solid #b3261e; padding: .2rem 0 .2rem 1rem; margin: 1.5rem 0 }
section.warning { border-color: #b26a00 } dt { float: left; width: 6rem; color: #555 } dd { margin: 0 0 .3rem 6rem }
code, pre { font: 14px ui-monospace, monospace } svg { max-width: 100%; height: auto }
ul.checks { columns: 3; list-style: none; padding: 0 } .failed { color: #b3261e } .untested { color: #777 }
@media print { body { margin: 0 } section { break-inside: avoid } }`;

export function html(report: Report, { command }: Setting): string {
  const title = `truefork grade: ${escaped(command.join(' '))}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
<h1>${title}</h1>
<p>${escaped(summaryOf(report))}</p>
${report.findings.map(section).join('\n')}
${report.notes.map(({ text }) => `<p>Note: ${escaped(text)}</p>`).join('\n')}
<h2>Checks</h2>
<ul class="checks">
${checksOf(report).map(item).join('\n')}
</ul>
</html>
`;
}

function summaryOf({ findings, notGradable, model, conduct, seconds }: Report): string {
  if (notGradable !== undefined && findings.length === 0) return `It cannot be graded: ${notGradable}.`;
  const how = model === undefined ? '' : ` It works as "${model}".`;
  const behaves = conduct.length === 0 ? '' : ` Conduct: ${conduct.join(', ')}.`;
  return `${findings.length === 0 ? 'No findings' : `${findings.length} finding(s)`} in ${seconds} s.${how}${behaves}`;
}

function section({
  id,
  severity,
  what,
  evidence,
  where,
  lecture,
  mend,
  picture,
}: Report['findings'][number]): string {
  const rows = Object.entries({ evidence, where, lecture, mend }).flatMap(([name, text]) =>
    text === undefined ? [] : [`<dt>${name}</dt><dd>${escaped(text)}</dd>`],
  );
  return `<section class="${severity}"><h2><code>${id}</code> ${escaped(what)}</h2><dl>${rows.join('')}</dl>${picture ?? ''}</section>`;
}

function item({ id, outcome }: ReturnType<typeof checksOf>[number]): string {
  const mark = { passed: '✓', failed: '✗', 'not tested': '–' }[outcome];
  return `<li class="${outcome === 'not tested' ? 'untested' : outcome}">${mark} ${id}</li>`;
}
