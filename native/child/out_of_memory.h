#pragma once

namespace truefork {

// From now on, in this process and its children, a failed allocation is noted in the child's slot: by V8
// before it aborts, by operator new before it throws, and by a segmentation fault where no memory is left.
void NoteOutOfMemory();

}  // namespace truefork
