/** Run by `truefork doctor` in a process that was started for it: one fork, with all that a server's fork has to do. */
import { SIGCHLD } from '../posix/constants.js';
import { fork } from '../posix/fork.js';
import { pipe, read, write } from '../posix/io.js';
import { _exit, getpid } from '../posix/process.js';
import { SIG_DFL, sigaction, sigset_t } from '../posix/signal.js';
import { WEXITSTATUS, WIFEXITED, waitpid } from '../posix/wait.js';

const agreed = 42;
sigaction(SIGCHLD, { sa_handler: SIG_DFL, sa_mask: new sigset_t(), sa_flags: 0 });
const [from, to] = pipe();
const pid = fork();
if (pid === 0) {
  write(to, Buffer.from(String(getpid())));
  _exit(agreed);
}
const { status } = waitpid(pid);
if (!WIFEXITED(status) || WEXITSTATUS(status) !== agreed)
  throw new Error(`the child ended with the wait status 0x${status.toString(16)}`);
const said = Buffer.alloc(16);
const length = read(from, said);
if (Number(said.toString('utf8', 0, length)) !== pid)
  throw new Error('the child did not know its process ID');
