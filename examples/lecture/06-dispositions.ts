// The three dispositions of a signal: ignored, a handler, the default.
import {
  exit,
  fork,
  getpid,
  kill,
  SIG_DFL,
  SIG_IGN,
  SIGTERM,
  type SigHandler,
  sigaction,
  WIFSIGNALED,
  WTERMSIG,
  waitpid,
} from 'truefork/posix';

const dispositions: [string, SigHandler][] = [
  ['SIG_IGN', SIG_IGN],
  ['a handler', signum => console.log(`handler: signal ${signum}`)],
  ['SIG_DFL', SIG_DFL],
];

for (const [name, sa_handler] of dispositions) {
  const pid = fork();
  if (pid === 0) {
    sigaction(SIGTERM, { sa_handler });
    kill(getpid(), SIGTERM);
    exit(0);
  }
  const { status } = waitpid(pid);
  console.log(`${name}: ${WIFSIGNALED(status) ? `ended by signal ${WTERMSIG(status)}` : 'lived on'}`);
}
