/** Markdown as one HTML page without scripts or outside parts. */

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:48em;margin:2em auto;padding:0 1em}' +
  'table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3em .6em}' +
  'pre,code{font-family:ui-monospace,monospace;background:#f4f4f4}pre{padding:.8em;overflow:auto}';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export async function markdownToHtml(markdown: string): Promise<string> {
  const { parse } = await import('marked');
  return (await parse(markdown)).trim();
}

/** @param properties become meta elements, `title` the page's title */
export async function htmlPage(markdown: string, properties: Record<string, string>): Promise<string> {
  const { title = 'Document', ...rest } = properties;
  const meta = Object.entries(rest).map(
    ([name, value]) => `<meta name="${escaped(name)}" content="${escaped(value)}">\n`,
  );
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
${meta.join('')}<style>${STYLE}</style>
</head>
<body>
${await markdownToHtml(markdown)}
</body>
</html>
`;
}
