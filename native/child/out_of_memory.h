#pragma once

namespace truefork {

// From now on, in this process and its children: V8 that finds no more memory says so in the child's slot
// before it aborts, and so do operator new and a segmentation fault where there is no room left.
void NoteOutOfMemory();

}  // namespace truefork
