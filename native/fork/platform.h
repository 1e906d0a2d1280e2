#pragma once

namespace truefork {

// V8 hands some work to threads of Node's platform (on Node 26, a helper's share of every scavenge). fork()
// copies none of them, so in a child such tasks would pile up for ever, and whoever waits for them to be
// done, as a Worker does at its natural end, would wait for ever. From here on they are dropped as they are
// posted: V8 does alone what nobody helped it with. True if that is so now; false where this Node gives no
// way to do it.
bool DropTasksForThreads();

}  // namespace truefork
