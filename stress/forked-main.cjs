/**
 * `node <flags to fork> stress/forked-main.cjs SCRIPT [ARGUMENT…]`: runs a script as the main one of a forked child, and ends
 * as that child ended. CommonJS: a main module of that kind is evaluated outside of every promise, as the script is to be.
 */
'use strict';
require('../dist/auto.js');
const {
  fork,
  kill,
  SIG_DFL,
  sigaction,
  waitpid,
  WEXITSTATUS,
  WIFSIGNALED,
  WTERMSIG,
} = require('../dist/posix/index.js');

const pid = fork();
if (pid === 0) {
  process.argv.splice(1, 1);
  require('node:module').runMain();
} else {
  const { status } = waitpid(pid, 0);
  if (WIFSIGNALED(status)) {
    const signal = WTERMSIG(status);
    sigaction(signal, { sa_handler: SIG_DFL });
    kill(process.pid, signal);
  }
  process.exit(WEXITSTATUS(status));
}
