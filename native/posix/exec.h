#pragma once

#include <string>
#include <vector>

namespace truefork {

using ExecCall = int (*)(const char* path, char* const argv[], char* const envp[]);

// Makes the call, execve(2) or execvpe(3), in the state that a program expects to be executed in: signals as
// SignalsForExec has them, standard streams kept, C's buffered output written. Returns errno, and everything
// is as before; or does not return.
int Execute(ExecCall call, const std::string& path, const std::vector<std::string>& argv,
            const std::vector<std::string>& envp);

}  // namespace truefork
