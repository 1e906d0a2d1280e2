/**
 * Lists the tests that passed at their second try alone: last of all on stderr, and in the file that SECOND_TRIES names,
 * where several runs collect theirs. One that is listed again and again has a fault.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

export default class SecondTries implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines: string[] = [];
    for (const module of modules) {
      const file = path.relative(process.cwd(), module.moduleId);
      for (const test of module.children.allTests()) {
        if (!test.diagnostic()?.flaky) continue;
        const why = test.result().errors?.[0]?.message.split('\n')[0];
        lines.push(`${file} > ${test.fullName}: ${why ?? 'no reason is known'}`);
      }
    }
    if (lines.length === 0) return;
    process.stderr.write(`\nPassed at the second try alone:\n${lines.join('\n')}\n`);
    if (process.env.SECOND_TRIES) fs.appendFileSync(process.env.SECOND_TRIES, `${lines.join('\n')}\n`);
  }
}
