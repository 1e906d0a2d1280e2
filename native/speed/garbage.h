#pragma once

namespace truefork {

// Has V8 collect all garbage there is, and give back the memory: more than the gc() of JavaScript does, which
// keeps what the next collection may need.
void CollectAllGarbage();

}  // namespace truefork
