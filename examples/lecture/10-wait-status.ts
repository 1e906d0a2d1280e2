// What waitpid() tells of a child: it has exited, was ended by a signal, was stopped, was continued.
import {
  exit,
  fork,
  kill,
  pause,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  WCONTINUED,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WSTOPSIG,
  WTERMSIG,
  WUNTRACED,
  waitpid,
} from 'truefork/posix';

const exits = fork();
if (exits === 0) exit(7);
tell(waitpid(exits).status);

const waits = fork();
if (waits === 0) for (;;) pause();
kill(waits, SIGSTOP);
tell(waitpid(waits, WUNTRACED).status);
kill(waits, SIGCONT);
tell(waitpid(waits, WCONTINUED).status);
kill(waits, SIGKILL);
tell(waitpid(waits).status);

function tell(status: number): void {
  if (WIFEXITED(status)) console.log(`exited with status ${WEXITSTATUS(status)}`);
  if (WIFSIGNALED(status)) console.log(`ended by signal ${WTERMSIG(status)}`);
  if (WIFSTOPPED(status)) console.log(`stopped by signal ${WSTOPSIG(status)}`);
  if (WIFCONTINUED(status)) console.log('continued');
}
