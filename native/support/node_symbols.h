// V8's functions by the names that every Node from 20 to 26 exports, found at run time: Node-API has no word
// for them, and V8's headers would tie the binary to one line of Node. Null where a Node does not have one.
#pragma once

extern "C" __attribute__((weak)) void* v8_isolate_current() __asm__("_ZN2v87Isolate10GetCurrentEv");
