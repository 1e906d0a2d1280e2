/**
 * Where a zygote starts. Standard output is replaced before any other module is linked: Node's own `util` keeps
 * `process.stderr` at that moment.
 */
import '../fork/stdio.js';

// V8 compiles a function at its first call, and most functions are first called in a child: every child would compile
// them anew. So all functions, the script's too, are compiled as they are loaded. zygote.ts ends that.
process.getBuiltinModule('node:v8').setFlagsFromString('--no-lazy');
void import('./zygote.js');
