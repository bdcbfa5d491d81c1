/** Puts together what would stand over each other on the screen. */

/** Things by their number in the columns; the first is the one whose place the cluster has. */
export type Group = number[];

/** One number for a column and a row of squares, which both may lie beside the screen. */
const square = (column: number, row: number): number => (column + 32_768) * 65_536 + row + 32_768;

/**
 * Groups points, in the order of their numbers, so that those which lead a group are at least so many
 * pixels apart. The same points make the same groups, whatever was shown before.
 */
export function grouped(x: ArrayLike<number>, y: ArrayLike<number>, apart: number): Group[] {
  const groups: Group[] = [];
  const leaders = new Map<number, Group[]>();
  for (let i = 0; i < x.length; i++) {
    const [px, py] = [x[i]!, y[i]!];
    if (Number.isNaN(px)) continue;
    const [column, row] = [Math.floor(px / apart), Math.floor(py / apart)];
    let nearest: Group | null = null;
    let least = apart * apart;
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (const group of leaders.get(square(column + dx, row + dy)) ?? []) {
          const distance = (x[group[0]!]! - px) ** 2 + (y[group[0]!]! - py) ** 2;
          if (distance >= least) continue;
          least = distance;
          nearest = group;
        }
      }
    }
    if (nearest) nearest.push(i);
    else {
      const group = [i];
      groups.push(group);
      const key = square(column, row);
      const there = leaders.get(key);
      if (there) there.push(group);
      else leaders.set(key, [group]);
    }
  }
  return groups;
}
