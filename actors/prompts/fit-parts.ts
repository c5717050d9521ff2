/** Fits texts into a number of characters: each has a share by weight, and what one does not need goes to the others. */

export interface Part {
  text: string;
  weight: number;
  /** Keeps the end as well as the beginning when cut. */
  ends?: boolean;
}

/** The texts in the same order, together at most `room` characters, marks of what was cut included. */
export function fitParts(parts: Part[], room: number): string[] {
  const limits = parts.map(() => 0);
  let open = parts.map((_, at) => at);
  let left = Math.floor(room);
  while (open.length > 0) {
    const weights = open.reduce((sum, at) => sum + parts[at]!.weight, 0);
    const share = (at: number): number => Math.floor((left * parts[at]!.weight) / weights);
    const small = open.filter(at => parts[at]!.text.length <= share(at));
    const settled = small.length > 0 ? small : open;
    const given = settled.map(at => Math.min(parts[at]!.text.length, share(at)));
    for (const [i, at] of settled.entries()) limits[at] = given[i]!;
    left -= given.reduce((sum, size) => sum + size, 0);
    open = open.filter(at => !settled.includes(at));
  }
  return parts.map((part, at) => cut(part, limits[at]!));
}

/** The same for texts with names. */
export function fitNamed<Name extends string>(parts: Record<Name, Part>, room: number): Record<Name, string> {
  const names = Object.keys(parts) as Name[];
  const texts = fitParts(
    names.map(name => parts[name]),
    room,
  );
  return Object.fromEntries(names.map((name, at) => [name, texts[at]!])) as Record<Name, string>;
}

function cut({ text, ends = false }: Part, limit: number): string {
  if (text.length <= limit) return text;
  const mark = `\n[… ${text.length - limit} characters not shown]\n`;
  const room = Math.max(0, limit - mark.length);
  const tail = ends ? Math.floor(room / 3) : 0;
  return `${text.slice(0, room - tail)}${mark.slice(0, limit)}${tail > 0 ? text.slice(-tail) : ''}`;
}
