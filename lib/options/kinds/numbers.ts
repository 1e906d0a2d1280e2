/** Counts and rates. */
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';

export function integer(least: number, most: number): Kind<number> {
  return {
    placeholder: 'n',
    parse: text => (/^-?\d+$/.test(text) ? Number(text) : text),
    check(name, value) {
      if (isCount(value, least, most)) return value;
      throw badArgument(`${name} has to be a whole number from ${least} to ${most}, not ${show(value)}`);
    },
    show: String,
  };
}

/** How many a second. */
export function rate(least: number, most: number): Kind<number> {
  return {
    placeholder: 'n',
    parse: text => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text),
    check(name, value) {
      if (typeof value === 'number' && value >= least && value <= most) return value;
      throw badArgument(`${name} has to be a number a second, from ${least} to ${most}, not ${show(value)}`);
    },
    show: String,
  };
}

/** How many spare children there are: a fixed number, or as many as were needed lately. */
export type SpareCount = number | { min?: number; max: number };

export function spareCount(most: number): Kind<SpareCount, { min: number; max: number }> {
  return {
    placeholder: 'n|min-max',
    parse(text) {
      const [, min, max] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
      if (min === undefined) return text;
      return max === undefined ? Number(min) : { min: Number(min), max: Number(max) };
    },
    check(name, value) {
      const range = typeof value === 'object' && value !== null ? value : { min: value, max: value };
      const { min = 0, max } = range as { min?: unknown; max?: unknown };
      if (isCount(min, 0, most) && isCount(max, 0, most) && min <= max) return { min, max };
      throw badArgument(
        `${name} has to be a number from 0 to ${most}, or two as in { min: 2, max: 16 }, on the command line "2-16"; not ${show(value)}`,
      );
    },
    show: value => (typeof value === 'number' ? String(value) : `${value.min ?? 0}-${value.max}`),
  };
}

function isCount(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
