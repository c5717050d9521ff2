/** Cuts a text to at most `width` characters; the last one becomes an ellipsis when something was cut. */
export function truncate(text, width) {
  if (width < 1) return '';
  const characters = [...text];
  if (characters.length <= width) return text;
  return `${characters.slice(0, width - 1).join('')}…`;
}
