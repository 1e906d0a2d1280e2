/** What the command and the grader use of the tracer. */
export type * from './events.js';
export { startTrace } from './start-trace.js';
export type { Injection, Started, TraceOptions, TraceResult, Tracer } from './tracer.js';
