/**
 * Where a zygote starts. Standard output is made fit for forking before any other module is even linked: Node's own
 * `util` takes hold of `process.stderr` at that moment.
 */
import '../fork/stdio.js';

// What children run first, the zygote never does: our functions and the script's are compiled here, all of them, so
// that no child has to. zygote.ts takes this back when the script is loaded.
process.getBuiltinModule('node:v8').setFlagsFromString('--no-lazy');
void import('./zygote.js');
