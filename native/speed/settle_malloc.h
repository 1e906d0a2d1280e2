#pragma once

namespace truefork {

// Has malloc merge and sort the chunks that were freed. Otherwise the first large allocation of each child
// does, and writes to some 30 pages for it. TRUEFORK_SPEED=-settled-malloc leaves it out.
void SettleMalloc();

}  // namespace truefork
