/** Shows an answer while it grows, without its think blocks. */
import type { CallOptions } from './model.ts';
import { visibleLength } from './thinking.ts';

/** Returns a function to feed pieces to; offsets count the characters shown in this attempt. */
export function previewer(onDelta: CallOptions['onDelta']): (piece: string) => void {
  if (!onDelta) return () => {};
  let held = '';
  let decided = false;
  let offset = 0;
  const show = (text: string) => {
    if (!text) return;
    onDelta({ attempt: 1, offset, text });
    offset += text.length;
  };
  return piece => {
    if (decided) return show(piece);
    held += piece;
    const { from, to } = visibleLength(held);
    if (to <= from) return;
    decided = true;
    show(from === 0 ? held : held.slice(from).trimStart());
  };
}
