/**
 * Where a zygote starts. Standard output is made fit for forking before any other module is even linked: Node's own
 * `util` takes hold of `process.stderr` at that moment.
 */
import '../fork/stdio.js';

void import('./zygote.js');
