/** What passes between lanes: accepts, forks, SIGCHLD, waits; and the runs of handlers. */
import type { ChildSignal, Process } from './model.js';
import type { Lane, Picture } from './picture.js';
import { colours, element, text, textWidth, titled } from './svg-parts.js';
import { halo } from './svg-process.js';
import { count, duration } from './words.js';

const arrow = 7;

export function drawRelations(picture: Picture): string {
  const byPid = new Map(picture.model.processes.map(process => [process.pid, process]));
  const laneOf = (pid: number): Lane | undefined => {
    const process = byPid.get(pid);
    return process && picture.lanes.get(process);
  };
  const shown = Array.from(picture.lanes.keys());
  const signals = picture.model.signals.filter(({ child, parent }) => laneOf(child) && laneOf(parent));
  return [
    ...shown.map(process => drawFork(picture, process, laneOf(process.parent))),
    ...signals.map(signal => drawSignal(picture, signal, laneOf(signal.child)!, laneOf(signal.parent)!)),
    ...shown.map(process => drawHandlers(picture, process)),
    ...shown.map(process => drawWaitedFor(picture, process, laneOf(process.parent))),
    ...shown.map(process => drawAccepts(picture, process)),
    ...shown.map(process => drawMerged(picture, process)),
  ].join('\n');
}

function downArrow(x: number, tip: number, colour: string): string {
  return element('path', {
    d: `M${x - arrow / 2} ${tip - arrow}h${arrow}l${-arrow / 2} ${arrow}z`,
    fill: colour,
  });
}

function drawFork(
  { scale, lanes, used, model }: Picture,
  process: Process,
  parent: Lane | undefined,
): string {
  if (parent === undefined || process.bornAt < model.from) return '';
  used.add('fork');
  const lane = lanes.get(process)!;
  const x = scale.x(process.bornAt);
  const [y1, y2] = [parent.top + parent.height, lane.top - 1];
  const line = { x1: x, y1, x2: x, y2: y2 - arrow, stroke: '#555555', 'stroke-width': 1.3 };
  return titled('line', line, `${process.forkedBy}() = ${process.pid}`) + downArrow(x, y2, '#555555');
}

function drawSignal({ scale, used }: Picture, signal: ChildSignal, child: Lane, parent: Lane): string {
  used.add(signal.merged ? 'merged' : 'sigchld');
  const [x0, x1] = [scale.x(signal.sentAt), scale.x(signal.deliveredAt)];
  const [y0, y1] = [child.top, parent.top + parent.height + 1];
  const colour = signal.merged ? colours.zombie : colours.signal;
  const bend = Math.min(60, Math.abs(y0 - y1) / 2);
  // Straight up where it comes at once, in a curve where it has to wait for its parent.
  const d =
    x1 - x0 < 4
      ? `M${x1} ${y0}L${x1} ${y1 + arrow}`
      : `M${x0} ${y0}C${x0} ${y0 - bend} ${x1} ${y1 + bend + arrow} ${x1} ${y1 + arrow}`;
  const rounded = d.replaceAll(/\d+\.\d+/g, number => Number(number).toFixed(1));
  const dashes = signal.merged ? '1.5 3' : '5 3';
  const lost = signal.merged ? ', merged into the one that was pending' : '';
  const title = `SIGCHLD of ${signal.child}${lost}; delivered after ${duration(signal.deliveredAt - signal.sentAt)}`;
  const line = { d: rounded, fill: 'none', stroke: colour, 'stroke-width': 1.5, 'stroke-dasharray': dashes };
  const tip = element('path', {
    d: `M${(x1 - arrow / 2).toFixed(1)} ${y1 + arrow}h${arrow}l${-arrow / 2} ${-arrow}z`,
    fill: colour,
  });
  return titled('path', line, title) + tip;
}

function drawHandlers({ scale, lanes, used, model }: Picture, process: Process): string {
  const { top, height } = lanes.get(process)!;
  return process.handlers
    .filter(({ from }) => from >= model.from)
    .map(({ signal, from, to }) => {
      used.add('handler');
      const width = Math.max(3.5, scale.x(to) - scale.x(from));
      const box = { x: scale.x(from), y: top - 4, width, height: height + 8, fill: colours.signal };
      return titled('rect', box, `the handler of ${signal} runs, ${duration(to - from)}`);
    })
    .join('');
}

function drawWaitedFor({ scale, lanes, used }: Picture, process: Process, parent: Lane | undefined): string {
  if (process.waitedFor === undefined || parent === undefined) return '';
  used.add('waited');
  const { top, height } = lanes.get(process)!;
  const x = scale.x(process.waitedFor.at);
  const y = top + height / 2;
  const line = {
    x1: x,
    y1: parent.top + parent.height,
    x2: x,
    y2: y,
    stroke: colours.waited,
    'stroke-width': 1.3,
  };
  const dot = { cx: x, cy: y, r: 4.5, fill: colours.waited, stroke: '#ffffff' };
  return (
    element('line', line) + titled('circle', dot, `its parent has waited for ${process.pid}: it is gone`)
  );
}

function drawAccepts({ scale, lanes, used }: Picture, process: Process): string {
  const { top } = lanes.get(process)!;
  let lastLabel = Number.NEGATIVE_INFINITY;
  return process.accepts
    .map(({ at, fd, client }) => {
      used.add('accept');
      const x = scale.x(at);
      const label = `fd ${fd}`;
      const fits = x - lastLabel >= textWidth(label, 12) + 6;
      if (fits) lastLabel = x;
      const tip = top - 2;
      const d = `M${(x - 5).toFixed(1)} ${tip - 9}h10l-5 9z`;
      return (
        titled('path', { d, fill: colours.ink }, `accept() = ${fd}: client ${client}`) +
        (fits
          ? text(x, tip - 13, label, {
              'text-anchor': 'middle',
              'font-size': 12,
              fill: '#444444',
              ...halo('#ffffff'),
            })
          : '')
      );
    })
    .join('');
}

/** Where several ends came to one signal: how many, in words. */
function drawMerged({ scale, lanes, model, left, right }: Picture, process: Process): string {
  const { top } = lanes.get(process)!;
  const groups = new Map<number, ChildSignal[]>();
  for (const signal of model.signals.filter(({ parent }) => parent === process.pid)) {
    groups.set(signal.deliveredAt, [...(groups.get(signal.deliveredAt) ?? []), signal]);
  }
  return Array.from(groups, ([at, signals]) => {
    if (!signals.some(({ merged }) => merged)) return '';
    const runs = signals[0]!.handled ? ', 1 run of the handler' : '';
    const label = `${count(signals.length, 'child has', 'children have')} ended: 1 SIGCHLD${runs}`;
    const half = textWidth(label, 13, true) / 2;
    const x = Math.min(right - half, Math.max(left + half, scale.x(at)));
    const style = { 'text-anchor': 'middle', 'font-weight': 700, fill: colours.zombie, ...halo('#ffffff') };
    return text(x, top - 32, label, style);
  }).join('');
}
