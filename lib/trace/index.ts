/** What the command and the grader use of the tracer. */
export type * from './events.js';
export { type Injection, startTrace, type TraceOptions, type TraceResult, type Tracer } from './tracer.js';
