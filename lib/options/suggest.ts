/** The name that was meant, if one of `names` is near to what was written: but for a slip or two, and any case. */
export function nearest<Name extends string>(written: string, names: readonly Name[]): Name | undefined {
  const slips = (name: Name) => distance(simplified(written), simplified(name));
  const best = [...names].sort((a, b) => slips(a) - slips(b))[0];
  return best !== undefined && slips(best) <= Math.max(2, Math.floor(best.length / 3)) ? best : undefined;
}

function simplified(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

/** How many letters have to be put in, taken out or exchanged (Levenshtein's distance), row by row. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const above = row;
    row = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const exchanged = above[j]! + (letter === other ? 0 : 1);
      row.push(Math.min(exchanged, above[j + 1]! + 1, row[j]! + 1));
    }
  }
  return row.at(-1)!;
}
