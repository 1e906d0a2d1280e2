/** What the parts of a picture share while it is drawn. */
import type { Client, Model, Process } from './model.js';
import type { Scale } from './scale.js';

/** Where a lane is: its bar's upper edge and height. */
export interface Lane {
  readonly top: number;
  readonly height: number;
}

export interface Picture {
  readonly model: Model;
  readonly scale: Scale;
  readonly lanes: ReadonlyMap<Process, Lane>;
  readonly clientLanes: ReadonlyMap<Client, Lane>;
  readonly left: number;
  readonly right: number;
  /** Kinds of things that were drawn, for the legend. */
  readonly used: Set<LegendKey>;
}

export type LegendKey =
  | 'accept'
  | 'fork'
  | 'wait'
  | 'run'
  | 'exit'
  | 'sigchld'
  | 'merged'
  | 'handler'
  | 'stopped'
  | 'zombie'
  | 'waited'
  | 'hatched'
  | 'answer';
