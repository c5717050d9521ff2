/** What a JSON repairer would lose or turn into something else is set right before it, and its result is looked over after it. */

const ESCAPED = /["\\/bfnrt'`\n]/;

/** A text whose backslashes stand for themselves; null when they can also mean control characters. */
function backslashes(inside: string): string | null {
  const odd = [...inside.matchAll(/\\([\s\S])([\da-fA-F]{4})?/g)].filter(
    ([, c, hex]) => !ESCAPED.test(c!) && !(c === 'u' && hex !== undefined),
  );
  if (odd.length === 0) return inside;
  // `C:\dir\new` and `\bword\d`: the same text has escapes that JSON knows, so it has two readings.
  const drive = /(^|[\s"'])[A-Za-z]:\\/.test(inside);
  const known = inside.replace(/\\\\/g, '').match(/\\[bfnrt]/g) ?? [];
  if (known.some(mark => drive || mark === '\\b' || mark === '\\f')) return null;
  return inside.replace(/\\(?:([\s\S])([\da-fA-F]{4})?)/g, (whole, c: string, hex?: string) =>
    ESCAPED.test(c) || (c === 'u' && hex !== undefined) ? whole : `\\${whole}`,
  );
}

/** Almost-JSON with its lone backslashes doubled, without `#` comments and plus signs. Null: it has two readings. */
export function mendText(text: string): string | null {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (c === '"' || c === "'") {
      let end = at + 1;
      while (end < text.length && text[end] !== c) end += text[end] === '\\' ? 2 : 1;
      const inside = backslashes(text.slice(at + 1, end));
      if (inside === null) return null;
      out += c + inside + text.slice(end, end + 1);
      at = end + 1;
      continue;
    }
    const comment = c === '#' && /[\s,{[}\]"]$/.test(out) ? text.indexOf('\n', at) : -1;
    if (comment >= 0) {
      at = comment;
      continue;
    }
    if (!(c === '+' && /\d/.test(text[at + 1] ?? '') && /[:,[]\s*$/.test(out))) out += c;
    at++;
  }
  return out;
}

const EDGE = /^\s*[:,]|[:,]\s*$/;

/** Whether a text was written as a string of its own: its opening quote stands where a value or key may begin. */
function written(value: string, text: string): boolean {
  for (const start of [JSON.stringify(value).slice(0, -1), `'${value}`])
    for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1))
      if (/[[{,:(]\s*$/.test(text.slice(Math.max(0, at - 50), at))) return true;
  return false;
}

/** Whether a repaired value holds a piece of the JSON around it as text: then a quote or bracket was missing, in two possible places. */
export function tornApart(value: unknown, text: string): boolean {
  if (typeof value === 'string') return EDGE.test(value) && !written(value, text);
  if (Array.isArray(value)) return value.some(item => tornApart(item, text));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, item]) => EDGE.test(key) || tornApart(item, text));
}
