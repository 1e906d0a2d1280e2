/** `truefork doctor`: can this machine run it, and if not, what is to be done? */
import { styleText } from 'node:util';
import type { Finding } from '../doctor/finding.js';
import { limits } from '../doctor/limits.js';
import { addon, cLibrary, nodeVersion, procfs, system, typeScript } from '../doctor/machine.js';
import { trials } from '../doctor/trials.js';
import { parseFlags } from './flags.js';
import { version } from './version.js';

const usage = `Usage
  truefork doctor [--json]

Tells whether this machine can run truefork: kernel, C library, Node, limits on processes and descriptors, rules of a
container or sandbox; and tries a fork and a server. Where something is wrong it says what to do.

Options
      --json   one JSON object: { "ok": …, "findings": [ { "name", "verdict", "found", "advice" }, … ] }
  -h, --help   this text

Exit code: 0 when it can (there may be warnings), 1 when it cannot, 2 when the command line was wrong.
`;

export async function doctor(args: string[]): Promise<number> {
  const { values: options } = parseFlags('doctor', {
    args,
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const findings = [system()];
  if (process.platform === 'linux') {
    findings.push(
      cLibrary(),
      nodeVersion(),
      addon(),
      procfs(),
      ...limits(),
      typeScript(),
      ...(await trials()),
    );
  }
  const isFit = findings.every(({ verdict }) => verdict !== 'failure');
  if (options.json) console.log(JSON.stringify({ ok: isFit, findings }));
  else print(findings, isFit);
  return isFit ? 0 : 1;
}

const words = {
  ok: { word: 'ok  ', color: 'green' },
  warning: { word: 'warn', color: 'yellow' },
  failure: { word: 'FAIL', color: 'red' },
} as const;

function print(findings: readonly Finding[], isFit: boolean): void {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const indent = ' '.repeat('  ok    '.length + width + 2);
  for (const { name, verdict, found, advice } of findings) {
    const { word, color } = words[verdict];
    console.log(`  ${paint(color, word)}  ${name.padEnd(width)}  ${found}`);
    if (advice !== undefined) console.log(advice.replaceAll(/^/gm, indent));
  }
  console.log(`truefork ${version()} ${isFit ? 'runs' : 'cannot run'} here`);
}

function paint(color: 'green' | 'yellow' | 'red', text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(color, text) : text;
}
