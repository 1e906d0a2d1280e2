/** Where a server of one process starts. Standard output is replaced before any other module is loaded. */
import '../fork/stdio.js';

void import('./single-process.js');
