#pragma once

namespace truefork {

// Gathers what this process has in memory into large pages (2 MiB): the program's own text, which is copied
// for that, and its data. A fork then has less to copy, page by page, and a child finds the program mapped
// where it would have to fault it in. What cannot be had stays as it is: it is for speed alone, and needs
// Linux 6.1 (MADV_COLLAPSE, madvise(2)). Only for a process that is quiet (threads.h).
//
// False where a thread ran meanwhile, which may have lost what it wrote: the process must not go on.
bool GatherIntoHugePages();

}  // namespace truefork
