#pragma once

namespace truefork {

// From now on, in this process and its children: V8 that finds no more memory says so in the child's slot
// before it aborts, and so does operator new.
void NoteOutOfMemory();

}  // namespace truefork
