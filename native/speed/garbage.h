#pragma once

namespace truefork {

// Has V8 collect all garbage and give back the memory that it can spare: more than gc() of JavaScript does,
// which keeps what the next collection may need. A zygote does it once before it forks; the collection that
// it owed would otherwise be paid by every child. TRUEFORK_SPEED=-garbage leaves it out.
void CollectAllGarbage();

}  // namespace truefork
