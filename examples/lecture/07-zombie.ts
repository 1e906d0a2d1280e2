// A child that nobody waits for stays in the process table, in state Z, until its parent reads its exit status.
import fs from 'node:fs';
import { exit, fork, sleep, waitpid } from 'truefork/posix';

const pid = fork();
if (pid === 0) exit(0);

while (stateOf(pid) !== 'Z (zombie)') sleep(0);
console.log(`child ${pid} has ended: ${stateOf(pid)}`);
waitpid(pid);
console.log(`after waitpid(): ${stateOf(pid)}`);

function stateOf(pid: number): string {
  try {
    return /^State:\s*(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  } catch {
    return 'no such process';
  }
}
