#pragma once

namespace truefork {

// V8 hands some work to threads of Node's platform: on Node 26, a helper's share of every scavenge. fork()
// copies none of these threads, so in a child such tasks would pile up without end, and the natural end of a
// Worker, which waits until they are done, would never come. From here on a task is dropped as it is posted,
// and V8 does alone what no thread has helped it with. A task for later gets a thread of its own. True if
// that is so now; false where this Node gives no way to do it.
bool DoWithoutWorkerThreads();

}  // namespace truefork
