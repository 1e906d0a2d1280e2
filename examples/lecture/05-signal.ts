// A handler set by signal(): Ctrl-C ends the counting of seconds.
import { exit, SIGINT, signal, sleep } from 'truefork/posix';

signal(SIGINT, sighandler);
while (true) {
  console.log('Going to sleep for a second...');
  sleep(1);
}

function sighandler(signum: number): void {
  console.log(`Caught signal ${signum}, coming out...`);
  exit(1);
}
