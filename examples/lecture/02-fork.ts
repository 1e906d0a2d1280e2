// fork() returns twice: the child's process ID in the parent, 0 in the child.
import { exit, fork, getpid, getppid, waitpid } from 'truefork/posix';

const pid = fork();
if (pid === 0) {
  console.log(`child:  fork() returned 0, I am ${getpid()}, my parent is ${getppid()}`);
  exit(0);
}
waitpid(pid);
console.log(`parent: fork() returned ${pid}, I am ${getpid()}`);
