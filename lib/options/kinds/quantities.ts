/** Times and sizes: a number, or a text with its unit. */
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';

/** A time in milliseconds, or a text with its unit: `'500ms'`, `'5s'`, `'2m'`, `'1h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;

/** A number of bytes, or a text with its unit: `'512K'`, `'256M'`, `'1G'`, in powers of 1024. */
export type Size = number | `${number}${'K' | 'M' | 'G'}`;

const timeUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const sizeUnits = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** The longest time that a timer of Node's can hold, in milliseconds. */
const longestDelay = 2 ** 31 - 1;

/** Milliseconds once checked. */
export function duration(least = 0, most = longestDelay): Kind<Duration, number> {
  return {
    placeholder: 'time',
    parse: text => text,
    check(name, value) {
      const ms = inUnits(value, timeUnits);
      if (typeof ms === 'number' && ms >= least && ms <= most) return ms;
      throw badArgument(
        `${name} has to be a time from ${showDuration(least)} to ${showDuration(most)}, with its unit as in ` +
          `"500ms", "5s" or "2m", or in a program a number of milliseconds; not ${show(value)}`,
      );
    },
    show: showDuration,
  };
}

/** Bytes once checked. */
export function size(least: number, most = 2 ** 50): Kind<Size, number> {
  return {
    placeholder: 'size',
    parse: text => (/^\d+$/.test(text) ? Number(text) : text),
    check(name, value) {
      const bytes = inUnits(value, sizeUnits);
      if (typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= least && bytes <= most)
        return bytes;
      throw badArgument(
        `${name} has to be a size of at least ${showSize(least)}: a number of bytes, or with its unit as in "512K", ` +
          `"256M" or "1G"; not ${show(value)}`,
      );
    },
    show: showSize,
  };
}

/** A text with one of the units as a number; anything else as it is. */
function inUnits(value: unknown, units: Record<string, number>): unknown {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([a-zA-Z]+)$/.exec(String(value)) ?? [];
  const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined;
  return factor === undefined ? value : Math.round(Number(count) * factor);
}

function showDuration(value: Duration): string {
  if (typeof value === 'string') return value;
  if (value === 0) return '0s';
  const unit = (['h', 'm', 's'] as const).find(name => value % timeUnits[name] === 0) ?? 'ms';
  return `${value / timeUnits[unit]}${unit}`;
}

function showSize(value: Size): string {
  if (typeof value === 'string') return value;
  const unit = (['G', 'M', 'K'] as const).find(name => value > 0 && value % sizeUnits[name] === 0);
  return unit === undefined ? String(value) : `${value / sizeUnits[unit]}${unit}`;
}
