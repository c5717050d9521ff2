/** What people and models write around a call; `%` is the call, in any dialect. */

/** The call is only spoken of. */
export const QUOTED = [
  'The tool call syntax is %.',
  'Hermes models emit:\n\n%\n\nand vLLM parses it.',
  "Here's an example of the tool call format:\n\n```xml\n%\n```",
  'The previous assistant message was: "%"',
  'The log shows\n```\n%\n```\nas the last call before the crash.',
  'Done. The transcript in log.txt reads:\n%',
  "1. Open the file\n2. Then\n\n    %\n\nThat's how the harness works.",
  'Instead of %, you should use the API.',
  "Don't write % in your answer.",
  '<tool_response>\n%\n</tool_response>',
  '<example>\n%\n</example>\nNothing to do.',
  '<!-- % -->\nNothing to do.',
  '~~~\n%\n~~~\nis what it looks like, and it is all there is to say about the matter. It has been this way since the first version of the program was written, in a year that nobody remembers.',
  'The format: %',
  '<thinking>\n%\n</thinking>\nOK',
  '<reasoning>maybe %</reasoning>\nOK',
  'Sample output:\n%',
  'A tool call looks as follows: %',
  'It should look something like so\n\n%',
  'Previously I called %',
  'The following is not a call:\n%',
  'You could use %',
  'How to call it:\n%',
];

/** The call is meant. */
export const MEANT = [
  '%',
  'I need to see the file.\n%',
  "To fix this, I'll first read it.\n\n%",
  'The file format is unknown so I check it.\n%',
  'The user asked how to do X. First I look.\n\n%',
  'The syntax error is in line 3.\n%',
  'I called it before; now again.\n%',
  'Let me check how the format is parsed:\n%',
  'I have read the template\n\n%',
  '**Step 1**: read\n%',
  'The file is missing; reading the other one:\n%',
  '<think>\nThe user wrote: "read it", for example.\n</think>\n\n%',
];
