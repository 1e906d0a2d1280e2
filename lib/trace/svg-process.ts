/** A process's lane: solid while it runs, pale and named while it waits in a call, hatched in red when it is a zombie. */
import type { Process, Wait } from './model.js';
import type { Picture } from './picture.js';
import { clientColour, colours, pale, text, textWidth, titled } from './svg-parts.js';
import { duration } from './words.js';

const fontSize = 12;
/** Narrower than this, a wait would only be a scratch in the bar. */
const leastWidth = 1.2;

export function drawProcess(picture: Picture, process: Process): string {
  const { scale, lanes, model, used } = picture;
  const { top, height } = lanes.get(process)!;
  const from = Math.max(process.bornAt, model.from);
  const to = process.exit?.time ?? model.to;
  const [x0, x1] = [scale.x(from), scale.x(to)];
  const colour = clientColour(process.client);
  const parts = [
    titled(
      'rect',
      { x: x0, y: top, width: Math.max(1.5, x1 - x0), height, fill: colour },
      lifeOf(process, to),
    ),
    ...process.serving.map(({ client, from: since, to: until }) => {
      const [left, right] = [scale.x(since), scale.x(until)];
      const box = { x: left, y: top, width: Math.max(0, right - left), height };
      return titled('rect', { ...box, fill: clientColour(client) }, `serves client ${client}`);
    }),
    ...process.waits.map(wait => drawWait(picture, process, wait, from)),
    drawZombie(picture, process),
  ];
  used.add('run');
  if (process.exit) {
    used.add('exit');
    const bar = { x: x1 - 1.5, y: top - 4, width: 3, height: height + 8, fill: colour };
    parts.push(titled('rect', bar, exitText(process)));
  }
  return parts.join('\n');
}

function lifeOf({ name, pid, forkedBy, parent }: Process, to: number): string {
  const origin = forkedBy === '' ? '' : `, from ${forkedBy}() of ${parent}`;
  return `${name}, pid ${pid}${origin}; until ${duration(to)}`;
}

function exitText({ exit }: Process): string {
  return exit?.signal ? `killed by ${exit.signal}` : `exit(${exit?.code ?? 0})`;
}

function drawWait(picture: Picture, process: Process, wait: Wait, from: number): string {
  const { scale, lanes, used } = picture;
  const { top, height } = lanes.get(process)!;
  if (wait.to <= from) return '';
  const [x0, x1] = [scale.x(Math.max(wait.from, from)), scale.x(wait.to)];
  const width = x1 - x0;
  if (width < leastWidth) return '';
  used.add(wait.stopped ? 'stopped' : 'wait');
  const serving = process.serving.find(span => wait.from >= span.from && wait.to <= span.to)?.client;
  const base = clientColour(process.client ?? wait.client ?? serving);
  const fill = wait.stopped ? colours.stopped : pale(base);
  const took = `${wait.stopped ? '' : 'waits in '}${wait.call}, ${duration(wait.to - wait.from)}`;
  // A hair of the solid colour stays above and below: it is one lane, however long it waits.
  const box = { x: x0 + 0.3, y: top + 2, width: Math.max(0.6, width - 0.6), height: height - 4, fill };
  const label = fittingLabel(wait, width);
  const fits = label !== undefined;
  return (
    titled('rect', box, took) +
    (fits
      ? text((x0 + x1) / 2, top + height / 2 + 4.2, label, {
          'text-anchor': 'middle',
          'font-size': fontSize,
          fill: wait.stopped ? '#ffffff' : colours.ink,
          ...(wait.stopped ? {} : halo(fill)),
        })
      : '')
  );
}

export function halo(colour: string) {
  return { stroke: colour, 'stroke-width': 3, 'paint-order': 'stroke', 'stroke-linejoin': 'round' };
}

function fittingLabel({ call, stopped }: Wait, width: number): string | undefined {
  const tries = stopped ? [call, 'stopped'] : [call === 'sleep' ? 'sleeps' : `waits in ${call}`, call];
  return tries.find(label => textWidth(label, fontSize) + 8 <= width);
}

function drawZombie({ scale, lanes, model, used }: Picture, process: Process): string {
  const { exit, zombieUntil } = process;
  if (exit === undefined) return '';
  const { top, height } = lanes.get(process)!;
  const until = zombieUntil ?? model.to;
  const [x0, x1] = [scale.x(exit.time) + 1.5, scale.x(until)];
  if (x1 - x0 < 3) return '';
  used.add('zombie');
  const isLeft = zombieUntil === undefined;
  const label = isLeft ? 'zombie to the end' : `zombie ${duration(until - exit.time)}`;
  const box = {
    x: x0,
    y: top + 1,
    width: x1 - x0,
    height: height - 2,
    fill: 'url(#zombie)',
    stroke: colours.zombie,
  };
  const shape = titled('rect', box, `${label}: pid ${process.pid}`);
  const shown = [label, 'zombie'].find(content => textWidth(content, fontSize, true) + 10 <= x1 - x0);
  if (shown === undefined) return shape;
  const [x, anchor] = isLeft ? [x1 - 6, 'end'] : [(x0 + x1) / 2, 'middle'];
  const style = {
    'text-anchor': anchor,
    'font-weight': 700,
    'font-size': fontSize,
    fill: '#8c1020',
    ...halo('#fdeeee'),
  };
  return shape + text(x, top + height / 2 + 4.2, shown, style);
}
