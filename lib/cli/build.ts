/** `truefork build`: for a machine that none of the package's binaries is for. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { localBuild, packageRoot } from '../binding/load.js';
import { compile } from '../build/compile.js';
import { findTools } from '../build/tools.js';
import { misuse } from '../errors.js';
import { parseFlags } from './flags.js';
import { asUsage, UsageError } from './usage.js';

const usage = `Usage
  truefork build

Builds the C++ addon for this machine, from the sources in the package: for a system for which the package has no
binary. It takes a minute, and needs a C++17 compiler, make and Python 3; Node's headers are fetched where they did not
come with Node. From then on this build is used. truefork doctor checks whether it works.

Options
  -h, --help   this text
`;

export async function build(args: string[]): Promise<number> {
  const { values } = parseFlags('build', { args, options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (process.platform !== 'linux')
    throw misuse(
      'ERR_TRUEFORK_PLATFORM',
      `the addon is for Linux: it cannot be built on ${process.platform}`,
    );
  assertWritable();
  const tools = asUsage(findTools);
  console.log('building: this takes a minute');
  await compile({ into: localBuild, tools });
  // In a process of its own: what this one has loaded says nothing about the new file.
  execFileSync(process.execPath, ['-e', 'require(process.argv[1])', localBuild], { stdio: 'inherit' });
  console.log(`built ${localBuild}`);
  return 0;
}

function assertWritable(): void {
  try {
    fs.mkdirSync(path.dirname(localBuild), { recursive: true });
    fs.accessSync(path.dirname(localBuild), fs.constants.W_OK);
  } catch (error) {
    throw new UsageError(
      `${packageRoot} cannot be written to (${(error as NodeJS.ErrnoException).code}): install truefork in a folder of your own`,
    );
  }
}
