/** A client's lane: hatched while it waits, then its colour, with a white line for each answer. */
import type { Client } from './model.js';
import type { Picture } from './picture.js';
import { clientColour, element, pale, text, textWidth, titled } from './svg-parts.js';
import { duration } from './words.js';

const fontSize = 12;

export function drawClient(picture: Picture, client: Client): string {
  const { scale, clientLanes, model, used } = picture;
  const { top, height } = clientLanes.get(client)!;
  const colour = clientColour(client.number);
  const end = client.endedAt ?? model.to;
  const served = client.servedAt ?? end;
  const [x0, x1, x2] = [scale.x(client.connectedAt), scale.x(served), scale.x(end)];
  const parts: string[] = [];
  const waited = duration(served - client.connectedAt);
  if (x1 - x0 >= 3) {
    used.add('hatched');
    const box = { x: x0, y: top, width: x1 - x0, height };
    parts.push(element('rect', { ...box, fill: pale(colour) }));
    parts.push(
      titled(
        'rect',
        { ...box, fill: 'url(#waits)', stroke: colour, 'stroke-dasharray': '3 2' },
        `client ${client.number} waits ${waited}`,
      ),
    );
  }
  if (x2 > x1) {
    const title = `client ${client.number}: served for ${duration(end - served)}`;
    parts.push(titled('rect', { x: x1, y: top, width: Math.max(1.5, x2 - x1), height, fill: colour }, title));
  }
  let last = x1;
  for (const answer of client.answers) {
    const x = scale.x(answer);
    if (x - last < 4 || x2 - x < 3) continue;
    used.add('answer');
    parts.push(element('rect', { x: x - 1, y: top + 2, width: 2, height: height - 4, fill: '#ffffff' }));
    last = x;
  }
  const label = client.servedAt === undefined ? `waits ${waited}, in vain` : `waits ${waited}`;
  if (x1 - x0 >= textWidth(label, fontSize) + 8) {
    parts.push(
      text((x0 + x1) / 2, top + height - 3.5, label, {
        'text-anchor': 'middle',
        'font-size': fontSize,
        fill: '#222222',
        stroke: '#ffffff',
        'stroke-width': 3,
        'paint-order': 'stroke',
      }),
    );
  }
  return parts.join('\n');
}
