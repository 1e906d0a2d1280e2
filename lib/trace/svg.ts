/** The picture of a trace: a lane for each client and each process, and arrows between them. It stands alone, for print. */
import type { Model, Process } from './model.js';
import type { Picture } from './picture.js';
import { makeScale } from './scale.js';
import { drawClient } from './svg-clients.js';
import { legend } from './svg-legend.js';
import { colours, element, escaped, text, textWidth } from './svg-parts.js';
import { drawProcess } from './svg-process.js';
import { drawRelations } from './svg-relations.js';
import { count } from './words.js';

export interface PictureOptions {
  readonly title?: string;
  readonly subtitle?: string;
  /** In pixels; the height follows from what there is. Default 1100. */
  readonly width?: number;
  /** Most lanes of processes. Default 24. */
  readonly lanes?: number;
}

const margin = 18;
const labelWidth = 162;
const clientPitch = 27;
const clientHeight = 15;
const processPitch = 47;
const processHeight = 20;
const font = "Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

export function drawSvg(model: Model, options: PictureOptions = {}): string {
  const { width = 1100, title = 'Trace', lanes: most = 24 } = options;
  const shown = shownProcesses(model, most);
  const [left, right] = [labelWidth, width - margin];
  const lines = options.subtitle ? wrapped(options.subtitle, width - 2 * margin, 14) : [];
  const clientsTop = margin + 28 + lines.length * 19 + 26;
  const clientLanes = new Map(
    model.clients.map((client, i) => [client, { top: clientsTop + i * clientPitch, height: clientHeight }]),
  );
  const processesTop =
    clientsTop + (model.clients.length === 0 ? 24 : model.clients.length * clientPitch + 54);
  const lanes = new Map(
    shown.map((process, i) => [process, { top: processesTop + i * processPitch, height: processHeight }]),
  );
  const axis = processesTop + shown.length * processPitch + 8;
  const scale = makeScale({
    from: model.from,
    to: model.to,
    moments: moments(model),
    marks: marks(model, shown),
    left,
    right,
  });
  const picture: Picture = { model, scale, lanes, clientLanes, left, right, used: new Set() };
  const shapes = [
    grid(picture, clientsTop - 8, axis),
    ...model.clients.map(client => drawClient(picture, client)),
    ...shown.map(process => drawProcess(picture, process)),
    drawRelations(picture),
  ];
  const hidden = model.processes.length - shown.length;
  const notes =
    hidden > 0 ? [text(left, axis + 44, `${count(hidden, 'more process', 'more processes')}`, note)] : [];
  const key = legend(picture, left, axis + 52 + notes.length * 20, right);
  const height = key.bottom + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="${font}" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    definitions,
    element('rect', { width, height, fill: '#ffffff' }),
    text(margin, margin + 18, title, { 'font-size': 20, 'font-weight': 700, fill: colours.ink }),
    ...lines.map((line, i) =>
      text(margin, margin + 41 + i * 19, line, { 'font-size': 14, fill: colours.grey }),
    ),
    ...shapes,
    element('g', { class: 'labels' }, labels(picture, clientsTop, processesTop, axis)),
    ...notes,
    key.svg,
    '</svg>',
    '',
  ].join('\n');
}

const note = { fill: colours.grey, 'font-size': 12 };

const definitions = `<defs>
<pattern id="waits" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="7" stroke="#9a9a9a" stroke-width="1.6"/></pattern>
<pattern id="zombie" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="#fdeeee"/><line x1="0" y1="0" x2="0" y2="7" stroke="${colours.zombie}" stroke-opacity="0.45" stroke-width="3.4"/></pattern>
</defs>`;

/** The server and those that have to do with clients come before others, if not all find room. */
function shownProcesses({ processes }: Model, most: number): Process[] {
  if (processes.length <= most) return [...processes];
  const important = (process: Process) =>
    (process.accepts.length > 0 ? 4 : 0) +
    (process.client !== undefined ? 2 : 0) +
    (process.parent === 0 ? 1 : 0);
  const chosen = new Set([...processes].sort((a, b) => important(b) - important(a)).slice(0, most));
  return processes.filter(process => chosen.has(process));
}

function moments({ clients, processes }: Model): number[][] {
  return [
    clients.map(({ connectedAt }) => connectedAt),
    processes.flatMap(({ accepts }) => accepts.map(({ at }) => at)),
    processes.flatMap(({ exit }) => exit?.time ?? []),
  ];
}

function marks({ clients, signals, from }: Model, processes: readonly Process[]): number[] {
  const times = [
    ...clients.flatMap(client => [client.connectedAt, client.servedAt, client.endedAt]),
    ...processes.flatMap(process => [
      process.bornAt,
      process.exit?.time,
      process.waitedFor?.at,
      ...process.accepts.map(({ at }) => at),
      ...process.handlers.flatMap(handler => [handler.from, handler.to]),
      ...process.waits.filter(({ stopped }) => stopped).flatMap(wait => [wait.from, wait.to]),
    ]),
    ...signals.map(({ deliveredAt }) => deliveredAt),
  ];
  return times.filter(time => time !== undefined && time >= from) as number[];
}

function grid({ scale, right }: Picture, top: number, axis: number): string {
  const lines = scale.ticks.map(({ at, label }) => {
    const x = scale.x(at);
    const anchor = x > right - 12 ? 'end' : 'middle';
    return (
      element('line', { x1: x, y1: top, x2: x, y2: axis, stroke: colours.grid }) +
      text(x, axis + 18, label, { 'text-anchor': anchor, fill: colours.grey, 'font-size': 12 })
    );
  });
  const breaks = scale.breaks.map(x =>
    element('path', {
      d: `M${x - 6} ${axis - 2}l4 -8l4 10l4 -8`,
      fill: 'none',
      stroke: '#8a8a8a',
      'stroke-width': 1.2,
    }),
  );
  return [...lines, ...breaks].join('\n');
}

function labels(
  { lanes, clientLanes }: Picture,
  clientsTop: number,
  processesTop: number,
  axis: number,
): string {
  const x = labelWidth - 14;
  const caption = { 'text-anchor': 'end', 'font-style': 'italic', fill: colours.grey, 'font-size': 12 };
  const name = { 'text-anchor': 'end', 'font-weight': 700, fill: colours.ink };
  const small = { 'text-anchor': 'end', fill: colours.grey, 'font-size': 11.5 };
  const ofProcesses = Array.from(lanes, ([process, { top }]) => [
    text(x, top + 8, fitted(process.name, labelWidth - 20), name),
    text(x, top + 22, `pid ${process.pid}`, small),
  ]);
  const ofClients = Array.from(clientLanes, ([client, { top }]) =>
    text(x, top + 12, `client ${client.number}`, name),
  );
  return [
    clientLanes.size > 0 ? text(x, clientsTop - 12, 'clients', caption) : '',
    text(x, processesTop - 16, 'processes', caption),
    text(x, axis + 18, 'ms', small),
    ...ofClients,
    ...ofProcesses.flat(),
  ].join('\n');
}

function fitted(name: string, width: number): string {
  const most = Math.floor(width / textWidth('n', 13, true)) + 1;
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}

function wrapped(content: string, width: number, size: number): string[] {
  const lines = [''];
  for (const word of content.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (textWidth(longer, size) > width && lines.at(-1) !== '') lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
