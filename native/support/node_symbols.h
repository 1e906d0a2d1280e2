// Every function of V8 and Node that Node-API does not offer and the addon calls all the same. They are found
// at run time by the names under which every Node from 20 to 26 exports them. V8's headers would tie the
// binary to one line of Node; a weak symbol that a Node lacks is null, so each use asks first and has a way
// to do without.
#pragma once

extern "C" {

// v8::Isolate
__attribute__((weak)) void* v8_isolate_current() __asm__("_ZN2v87Isolate10GetCurrentEv");
__attribute__((weak)) void* v8_isolate_context(void* isolate) __asm__("_ZN2v87Isolate17GetCurrentContextEv");
__attribute__((weak)) void v8_low_memory(void* isolate) __asm__("_ZN2v87Isolate21LowMemoryNotificationEv");
using V8OutOfMemoryHandler = void (*)(const char* location, const void* details);
__attribute__((weak)) void v8_set_oom_handler(void* isolate, V8OutOfMemoryHandler handler) __asm__(
    "_ZN2v87Isolate18SetOOMErrorHandlerEPFvPKcRKNS_10OOMDetailsEE");

// node::Environment, by Node's embedder API
__attribute__((weak)) void* node_environment(void* context) __asm__(
    "_ZN4node21GetCurrentEnvironmentEN2v85LocalINS0_7ContextEEE");
__attribute__((weak)) void node_at_exit(void* environment, void (*callback)(void*),
                                        void* data) __asm__("_ZN4node6AtExitEPNS_11EnvironmentEPFvPvES2_");
struct NodeMaybeExitCode {  // v8::Maybe<int>
  bool has;
  int value;
};
__attribute__((weak)) NodeMaybeExitCode node_emit_process_exit(void* environment) __asm__(
    "_ZN4node15EmitProcessExitEPNS_11EnvironmentE");
__attribute__((weak)) void node_oom_handler(const char* location, const void* details) __asm__(
    "_ZN4node15OOMErrorHandlerEPKcRKN2v810OOMDetailsE");

// node::NodePlatform, the platform that Node gives to V8: its table of virtual functions, and the two in it
// that take a task for a worker thread, by their names in Node 20 and since Node 22.
__attribute__((weak)) extern const void* node_platform_vtable[] __asm__("_ZTVN4node12NodePlatformE");
__attribute__((weak)) void node_platform_call() __asm__(
    "_ZN4node12NodePlatform18CallOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EE");
__attribute__((weak)) void node_platform_call_delayed() __asm__(
    "_ZN4node12NodePlatform25CallDelayedOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EEd");
__attribute__((weak)) void node_platform_post() __asm__(
    "_ZN4node12NodePlatform26PostTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14"
    "default_deleteIS4_EERKNS1_14SourceLocationE");
__attribute__((weak)) void node_platform_post_delayed() __asm__(
    "_ZN4node12NodePlatform33PostDelayedTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4Task"
    "ESt14default_deleteIS4_EEdRKNS1_14SourceLocationE");

}  // extern "C"
