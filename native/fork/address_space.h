#pragma once

namespace truefork {

// V8 keeps its pages out of forked children (MADV_DONTFORK, madvise(2)): a child would die on its first
// JavaScript instruction. Gives every private mapping back to the fork. To be done again before a fork that
// follows JavaScript having run, for V8 maps new pages as it goes.
void MakeAddressSpaceCopyable();

}  // namespace truefork
