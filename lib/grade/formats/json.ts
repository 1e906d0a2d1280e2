import type { Report } from '../grade.js';

export function json({ findings, notes, notTested, passed, conduct, model, notGradable, seconds }: Report): string {
  const plain = findings.map(({ picture: _, ...finding }) => finding);
  return `${JSON.stringify({ findings: plain, notes, notTested, passed, conduct, model, notGradable, seconds }, null, 2)}\n`;
}
