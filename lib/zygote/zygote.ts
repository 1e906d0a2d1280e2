/**
 * A zygote, from its start to its loop: it loads the handler script once, makes sure that it can be forked, and warms up
 * what its children will need. From then on no JavaScript runs here, but in its children.
 */
import v8 from 'node:v8';
import { native } from '../binding/native.js';
import { declareZygote } from '../fork/at-fork.js';
import { restoreEnvironment } from '../fork/environment.js';
import { exitWithoutListeners } from '../fork/exits.js';
import { assertForkable } from '../fork/preflight.js';
import { prepareToFork } from '../fork/prepare.js';
import { speedIsOn } from '../fork/speed.js';
import { startServing } from '../serving/start.js';
import { assertNothingShared, type Held, nodesOwnHandles } from './open-handles.js';
import { rehearse } from './rehearse.js';
import { serveByForking } from './serve.js';

let nodesOwn: Held;

await startServing({
  prepare({ environment }) {
    restoreEnvironment(environment);
    prepareToFork();
    declareZygote();
    nodesOwn = nodesOwnHandles();
  },
  async settle(loaded) {
    v8.setFlagsFromString('--lazy'); // main.ts has set --no-lazy
    await assertNothingShared(nodesOwn);
    const rehearses = speedIsOn('rehearsal');
    if (rehearses) await rehearse(loaded);
    // A compact heap without young objects: children write to fewer of the pages that they share.
    native.collectAllGarbage();
    // After a collection the first allocations set up new pages. Done here, no child has to do it.
    if (rehearses) await rehearse(loaded, 1);
    exitWithoutListeners();
    assertForkable();
  },
  title: () => 'zygote',
  serve: serveByForking,
});
