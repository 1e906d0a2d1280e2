/** The legend: what was drawn, and nothing else. */
import type { LegendKey, Picture } from './picture.js';
import { colours, element, text, textWidth } from './svg-parts.js';

const fontSize = 12;
const symbolWidth = 26;
const rowHeight = 24;

type Draw = (x: number, y: number) => string;

const box =
  (attributes: Record<string, string | number>): Draw =>
  (x, y) =>
    element('rect', { x, y: y - 11, width: 20, height: 13, ...attributes });

const line =
  (colour: string, dashes: string): Draw =>
  (x, y) =>
    element('path', {
      d: `M${x} ${y}l13 -7`,
      stroke: colour,
      'stroke-width': 1.5,
      'stroke-dasharray': dashes,
      fill: 'none',
    }) + element('path', { d: `M${x + 20} ${y - 11}l-9 1.5l4 6z`, fill: colour });

/** In the order in which things happen. */
const entries: [LegendKey, string, Draw][] = [
  ['hatched', 'the client waits', box({ fill: 'url(#waits)', stroke: '#9a9a9a', 'stroke-dasharray': '3 2' })],
  [
    'answer',
    'answer',
    (x, y) =>
      element('rect', { x, y: y - 11, width: 20, height: 13, fill: '#8a8a8a' }) +
      element('rect', { x: x + 9, y: y - 9, width: 2, height: 9, fill: '#ffffff' }),
  ],
  [
    'accept',
    'accept returns',
    (x, y) => element('path', { d: `M${x + 4} ${y - 9}h11l-5.5 9z`, fill: colours.ink }),
  ],
  [
    'fork',
    'fork',
    (x, y) =>
      element('path', { d: `M${x + 10} ${y - 13}v8`, stroke: '#555555', 'stroke-width': 1.5 }) +
      element('path', { d: `M${x + 6} ${y - 6}h8l-4 8z`, fill: '#555555' }),
  ],
  ['run', 'runs', box({ fill: colours.neutral })],
  ['wait', 'waits in a call', box({ fill: colours.neutralPale, stroke: '#9a9a9a' })],
  ['stopped', 'stopped by a signal', box({ fill: colours.stopped })],
  [
    'exit',
    'exit',
    (x, y) => element('rect', { x: x + 8, y: y - 13, width: 3, height: 17, fill: colours.ink }),
  ],
  ['sigchld', 'SIGCHLD', line(colours.signal, '4 2')],
  ['merged', 'SIGCHLD lost: one was pending', line(colours.zombie, '1.5 2.5')],
  [
    'handler',
    'signal handler runs',
    (x, y) => element('rect', { x: x + 7, y: y - 13, width: 6, height: 17, fill: colours.signal }),
  ],
  ['zombie', 'zombie', box({ fill: 'url(#zombie)', stroke: colours.zombie })],
  [
    'waited',
    'waited for',
    (x, y) =>
      element('path', { d: `M${x + 10} ${y - 14}v10`, stroke: colours.waited, 'stroke-width': 1.3 }) +
      element('circle', { cx: x + 10, cy: y - 3, r: 4.5, fill: colours.waited }),
  ],
];

export function legend(
  { used }: Picture,
  left: number,
  top: number,
  right: number,
): { svg: string; bottom: number } {
  const parts: string[] = [];
  let [x, y] = [left, top];
  for (const [key, label, draw] of entries) {
    if (!used.has(key)) continue;
    const width = symbolWidth + textWidth(label, fontSize) + 16;
    if (x + width > right + 16 && x > left) [x, y] = [left, y + rowHeight];
    parts.push(draw(x, y), text(x + symbolWidth, y, label, { 'font-size': fontSize, fill: '#444444' }));
    x += width;
  }
  return { svg: parts.join('\n'), bottom: y + 6 };
}
