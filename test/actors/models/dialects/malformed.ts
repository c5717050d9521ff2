/** Arguments as models spoil them. `value`: the one reading; null: there is none, or more than one, so it must be refused. */
interface Malformed {
  what: string;
  text: string;
  value: Record<string, unknown> | null;
}

const A = { path: 'a.txt' };
const AB = { path: 'a.txt', start: 5 };

export const MALFORMED: Malformed[] = [
  { what: 'a trailing comma', text: '{"path": "a.txt",}', value: A },
  { what: 'a trailing comma behind it', text: '{"path": "a.txt"},', value: A },
  {
    what: 'trailing commas inside',
    text: '{"globs": ["a", "b",], "limit": 3,}',
    value: { globs: ['a', 'b'], limit: 3 },
  },
  { what: 'single quotes', text: "{'path': 'a.txt', 'start': 5}", value: AB },
  { what: 'an apostrophe in single quotes', text: "{'content': 'it\\'s'}", value: { content: "it's" } },
  { what: 'double quotes in single quotes', text: `{'content': 'say "x"'}`, value: { content: 'say "x"' } },
  { what: 'keys without quotes', text: '{path: "a.txt", start: 5}', value: AB },
  {
    what: 'Python words',
    text: '{"recursive": True, "x": False, "y": None}',
    value: { recursive: true, x: false, y: null },
  },
  { what: 'a missing comma', text: '{"path": "a.txt" "start": 5}', value: AB },
  { what: 'a missing comma between lines', text: '{\n  "path": "a.txt"\n  "start": 5\n}', value: AB },
  { what: 'a missing colon', text: '{"path" "a.txt", "start": 5}', value: AB },
  { what: 'a missing closing brace', text: '{"path": "a.txt", "start": 5', value: AB },
  { what: 'a missing closing bracket', text: '{"globs": ["a", "b", "limit": 3}', value: null },
  { what: 'two missing braces', text: '{"a": {"b": {"c": 1}', value: { a: { b: { c: 1 } } } },
  { what: 'one brace too many', text: '{"path": "a.txt"}}', value: A },
  { what: 'three brackets too many', text: '{"path": "a.txt"}]})', value: A },
  { what: 'a line comment', text: '{"path": "a.txt" // the file\n}', value: A },
  { what: 'a block comment', text: '{/* the file */ "path": "a.txt"}', value: A },
  { what: 'a hash comment', text: '{"path": "a.txt" # the file\n}', value: A },
  { what: 'a code block', text: '```json\n{"path": "a.txt"}\n```', value: A },
  { what: 'a code block without its end', text: '```json\n{"path": "a.txt"}', value: A },
  { what: 'prose before', text: 'Here are the arguments: {"path": "a.txt"}', value: A },
  { what: 'prose after', text: '{"path": "a.txt"} is what I need.', value: A },
  { what: 'encoded twice', text: '"{\\"path\\": \\"a.txt\\"}"', value: A },
  { what: 'in a list of one', text: '[{"path": "a.txt"}]', value: A },
  { what: 'curly quotes', text: '{“path”: “a.txt”}', value: A },
  { what: 'a line break in text', text: '{"content": "one\ntwo"}', value: { content: 'one\ntwo' } },
  { what: 'a tab in text', text: '{"content": "one\ttwo"}', value: { content: 'one\ttwo' } },
  {
    what: 'quotes in text',
    text: '{"content": "say "hello" twice"}',
    value: { content: 'say "hello" twice' },
  },
  {
    what: 'quotes around a word in text',
    text: '{"content": "the "x" file", "path": "a.txt"}',
    value: { content: 'the "x" file', path: 'a.txt' },
  },
  { what: 'escaped quotes around keys', text: '{\\"path\\": \\"a.txt\\"}', value: A },
  { what: 'a backslash of a Windows path', text: '{"path": "C:\\dir\\file.txt"}', value: null },
  { what: 'a regular expression', text: '{"query": "\\d+\\s"}', value: { query: '\\d+\\s' } },
  { what: 'an escaped apostrophe', text: '{"content": "it\\\'s"}', value: { content: "it's" } },
  { what: 'a number with a bare fraction', text: '{"x": .5}', value: { x: 0.5 } },
  { what: 'a number with an open fraction', text: '{"x": 2.}', value: { x: 2 } },
  { what: 'a plus sign', text: '{"x": +2}', value: { x: 2 } },
  { what: 'a word without quotes', text: '{"path": a.txt}', value: A },
  { what: 'an equals sign', text: '{"path"="a.txt"}', value: null },
  { what: 'a missing quote before a key', text: '{"path": "a.txt", start": 5}', value: AB },
  { what: 'a missing quote behind a key', text: '{"path: "a.txt"}', value: A },
  { what: 'strings put together', text: '{"content": "one " + "two"}', value: { content: 'one two' } },
  { what: 'a function around it', text: 'arguments({"path": "a.txt"})', value: A },
  { what: 'a semicolon', text: '{"path": "a.txt"};', value: A },
  { what: 'an ellipsis', text: '{"path": "a.txt", ...}', value: A },
  { what: 'a byte order mark', text: '\uFEFF{"path": "a.txt"}', value: A },
  { what: 'non-breaking spaces', text: '{\u00A0"path":\u00A0"a.txt"}', value: A },
  { what: 'nothing', text: '', value: {} },
  { what: 'null', text: 'null', value: {} },
  { what: 'only text', text: 'read the file a.txt', value: null },
  { what: 'a number', text: '42', value: null },
  { what: 'words in braces', text: '{the file a.txt}', value: null },
  { what: 'two objects that differ', text: '{"path": "a.txt"} {"path": "b.txt"}', value: null },
];
