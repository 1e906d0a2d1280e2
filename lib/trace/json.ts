/** A trace for other programs: its events as they are, data as text. */
import type { TraceEvent } from './events.js';
import type { ObservedClient } from './model.js';
import type { TraceResult } from './tracer.js';

export interface TraceDocument {
  readonly command: readonly string[];
  readonly result: TraceResult;
  readonly clients: readonly ObservedClient[];
  readonly events: readonly TraceEvent[];
}

/** The document's version is raised when a reader of an older one would misread it. */
export const documentVersion = 1;

export function toJson({ command, result, clients, events }: TraceDocument): string {
  const lines = events.map(event => JSON.stringify(event, readable));
  const head = { format: 'truefork-trace', version: documentVersion, unit: 'ms', command, result, clients };
  return `${JSON.stringify(head).slice(0, -1)},"events":[\n${lines.join(',\n')}\n]}\n`;
}

function readable(key: string, value: unknown): unknown {
  // The call's own `enter` stands before it.
  if (key === 'entered') return undefined;
  const isData = key === 'data' && typeof value === 'object' && value !== null && 'type' in value;
  return isData ? Buffer.from((value as unknown as { data: number[] }).data).toString('latin1') : value;
}
