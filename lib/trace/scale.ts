/** The axis of time: linear, or, where much happens at once between long gaps, with these gaps shortened. */

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Scale {
  x(time: number): number;
  readonly ticks: readonly Tick[];
  /** Where a gap is shortened: the middle of each, in pixels. */
  readonly breaks: readonly number[];
}

/** A piece of time in which pixels and milliseconds are in one proportion. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
  readonly shortened: boolean;
}

export interface ScaleInput {
  readonly from: number;
  readonly to: number;
  /** Times that have to be told apart, of each kind: accepts, ends of children, arrivals of clients. */
  readonly moments: readonly (readonly number[])[];
  /** All times at which anything is drawn. */
  readonly marks: readonly number[];
  readonly left: number;
  readonly right: number;
}

/** Closer than this, in pixels, moments cannot be told apart. */
const tooClose = 7;
/** What a shortened gap takes. */
const shortGap = 64;
const lastShare = 0.17;
const tickDistance = 70;

export function makeScale(input: ScaleInput): Scale {
  const { left, right, from } = input;
  const to = Math.max(input.to, from + 0.001);
  const linear: Piece[] = [{ from, to, left, right, shortened: false }];
  const pieces = isCrowded(input, (right - left) / (to - from)) ? shortened({ ...input, to }) : linear;
  return {
    x: time => position(pieces, time),
    ticks: ticks(pieces, from),
    breaks: pieces.filter(piece => piece.shortened).map(piece => (piece.left + piece.right) / 2),
  };
}

function gapsBetween(times: readonly number[]): number[] {
  const sorted = Array.from(new Set(times)).sort((a, b) => a - b);
  return sorted.slice(1).map((time, i) => time - sorted[i]!);
}

/** Whether a third of the moments are too close to their neighbours of the same kind. */
function isCrowded({ moments }: ScaleInput, pixelsPerMs: number): boolean {
  const gaps = moments.flatMap(gapsBetween);
  const close = gaps.filter(gap => gap * pixelsPerMs < tooClose);
  return gaps.length >= 4 && close.length >= gaps.length / 3;
}

/** The largest scale at which everything fits, if no gap takes more than its share. */
function shortened({ from, to, marks, left, right }: ScaleInput): Piece[] {
  const inside = marks.filter(time => time > from && time < to);
  const times = Array.from(new Set([from, ...inside, to])).sort((a, b) => a - b);
  const gaps = gapsBetween(times);
  const width = right - left;
  const most = Math.max(shortGap, width / gaps.length);
  // What is left at the end, zombies above all, has a name to be written on it.
  const share = (i: number) => (i === gaps.length - 1 ? Math.max(most, width * lastShare) : most);
  const widthAt = (scale: number) => gaps.reduce((sum, gap, i) => sum + Math.min(gap * scale, share(i)), 0);
  let [low, high] = [0, 1e6];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (widthAt(middle) > width) high = middle;
    else low = middle;
  }
  const stretch = width / widthAt(low);
  const pieces: Piece[] = [];
  let x = left;
  gaps.forEach((gap, i) => {
    const isShortened = gap * low > share(i) * 1.5;
    const next = x + Math.min(gap * low, share(i)) * stretch;
    pieces.push({ from: times[i]!, to: times[i + 1]!, left: x, right: next, shortened: isShortened });
    x = next;
  });
  return pieces;
}

function position(pieces: readonly Piece[], time: number): number {
  const piece = pieces.find(({ to }) => time <= to) ?? pieces.at(-1)!;
  const share = (time - piece.from) / (piece.to - piece.from);
  return piece.left + Math.min(1, Math.max(0, share)) * (piece.right - piece.left);
}

/** 1, 2 or 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= least)!;
}

function ticks(pieces: readonly Piece[], origin: number): Tick[] {
  const found: Tick[] = [];
  const far = (x: number) => found.every(({ at }) => Math.abs(position(pieces, at) - x) >= tickDistance);
  const add = (at: number, step: number) => {
    if (!far(position(pieces, at))) return;
    const digits = Math.min(3, Math.max(0, -Math.floor(Math.log10(step))));
    found.push({ at, label: String(Number((at - origin).toFixed(digits))) });
  };
  const isLinear = pieces.length === 1;
  if (isLinear) {
    const [{ from, to, left, right }] = pieces as [Piece];
    const step = roundStep(((to - from) / (right - left)) * tickDistance);
    for (let at = from; at <= to + step / 1000; at += step) add(at, step);
    return found;
  }
  // Round times would say nothing here: the times of what happens do.
  add(pieces[0]!.from, 0.1);
  add(pieces.at(-1)!.to, 0.1);
  for (const { to } of pieces) add(to, 0.1);
  return found.sort((a, b) => a.at - b.at);
}
