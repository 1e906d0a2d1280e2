// A handler set by sigaction(), for three signals. Ctrl-C sends SIGINT, Ctrl-Z SIGTSTP, `kill -15 pid` SIGTERM: each
// appends to log.txt, and the program goes on. `kill -9 pid` ends it.
import fs from 'node:fs';
import { pause, SIGINT, SIGTERM, SIGTSTP, sigaction, sigemptyset, sigset_t } from 'truefork/posix';

function termination_handler(signum: number): void {
  const f = fs.openSync('log.txt', 'a');
  fs.writeSync(f, `SIGINT:${SIGINT}\t SIGTSTP:${SIGTSTP}\t SIGTERM:${SIGTERM}\n`);
  fs.writeSync(f, `In termination handler Signal:${signum}\n`);
  fs.closeSync(f);
}

console.log('Begin of program');
/* Set up the structure to specify the new action. */
const new_action = { sa_handler: termination_handler, sa_mask: new sigset_t(), sa_flags: 0 };
sigemptyset(new_action.sa_mask);
sigaction(SIGINT, new_action); // Ctrl+C for generating the signal
sigaction(SIGTSTP, new_action); // Ctrl+Z for generating the signal
sigaction(SIGTERM, new_action); // kill -15 pid for generating the signal
while (true) pause(); // not `while (1) {}`: a handler cannot run in the middle of JavaScript
