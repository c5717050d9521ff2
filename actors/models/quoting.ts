/** Tells a call from a call somebody only writes about. */

/** Up to the call and no further than the sentence that leads to it. */
const REST = String.raw`(?:[^\n.!?]|[.](?=\w)){0,160}$`;
const lead = (words: string, rest = REST): RegExp => new RegExp(`(?:${words})${rest}`, 'i');
const COLON = String.raw`\s*:?\s*$`;

/** Words that make it an example, whatever else is said. */
const EXAMPLE = lead(String.raw`\b(?:for example|for instance|e\.\s?g\.|examples?|such as)(?![\w.])`);

/** Words that make it a report or an explanation, unless the model announces it. */
const QUOTED = [
  lead(
    String.raw`\b(?:like this|would (?:look|be|call|use|write)|could (?:call|use|write)|(?:you|one) (?:can|could|would|should|might)|how (?:to|you|one|it|they)|in the form(?:at)? of|instead of|rather than|not an? (?:real |actual )?(?:tool )?call)\b`,
  ),
  lead(String.raw`\b(?:do(?:es)? not|don.t|doesn.t|never|must not) (?:call|use|write|send)\b`),
  lead(
    String.raw`\bI(?:'ve| have)? (?:already |just |previously )?(?:called|run|used|executed|invoked|wrote|sent)\b`,
  ),
  lead(String.raw`\b(?:looks?|something) (?:something )?(?:like(?: (?:this|that|so))?|as follows|so)`, COLON),
  lead(
    String.raw`\bthe (?:[\w-]+ ){0,3}(?:format|syntax|schema|template)(?: (?:for|of) [\w ]{1,60})?(?: (?:is|was)|\s*:)`,
    COLON,
  ),
  lead(
    String.raw`(?:^|[.!?]\s+)(?:a |an |the )?(?:sample|template|format|syntax|schema|usage|transcript|log|expected)(?: \w+)?\s*:`,
    COLON,
  ),
  // Somebody or something else said it.
  lead(
    String.raw`\b(?:transcript|logs?|messages?|outputs?|history|documentation|docs|readme|prompt|template|tests?|spec|models?|parser|agents?|assistants?|users?|you|they|he|she|files?|snippet)\b(?:[^\n.!?]|[.](?=\w)){0,80}\b(?:reads?|shows?|showed|says?|said|contains?|contained|emits?|emitted|outputs?|produces?|prints?|printed|writes?|wrote|sends?|sent|returns?|returned|(?:message|output|line|answer|response) (?:is|was))(?:\s+(?:this|that|these|it|the following|so|as follows|something like|lines?))*`,
    COLON,
  ),
];

/** The model speaks of what it does next: then it is a call, however it is introduced. */
const INTENT = lead(
  String.raw`\b(?:I(?:'| wi)ll|I am going to|I'm going to|let me|let's|I need to|I should|I must|I want to|now I|next step)\b|(?:^|[.!?]\s+)(?:now )?(?:reading|writing|checking|looking|listing|searching|running|creating|opening|calling|inspecting|fetching|editing)\b`,
);

/** Tags around what is only quoted; they count when they are closed. */
const QUOTE_OPEN =
  /<!--|<(tool_response|tool_result|examples?|reasoning|reflection|scratchpad|thoughts?|logs?|code|pre|blockquote)\b[^<>\n]*>/gi;

function insideQuote(text: string, at: number): boolean {
  for (const open of text.slice(0, at).matchAll(QUOTE_OPEN)) {
    const close = text.indexOf(open[1] ? `</${open[1]}>` : '-->', open.index);
    if (close > at) return true;
  }
  return false;
}

/** A code fence that only introduces a call says nothing. */
const stripFence = (text: string): string => text.replace(/(```|~~~)[\w-]*\s*$/, '');

/** Only the paragraph that leads to the call speaks about it. */
function leadingTo(text: string, at: number): string {
  const before = stripFence(text.slice(Math.max(0, at - 300), at)).trimEnd();
  return before.slice(before.lastIndexOf('\n\n') + 1).replace(/\n/g, ' ');
}

/** Whether what stands from `at` is a call to be run, going by the words before it. */
export function meant(text: string, at: number): boolean {
  const before = leadingTo(text, at);
  if (/`$/.test(before) || EXAMPLE.test(before) || insideQuote(text, at)) return false;
  return INTENT.test(before) || !QUOTED.some(words => words.test(before));
}

/** Whether the model announces what it does next right before `at`. */
export const announced = (text: string, at: number): boolean => INTENT.test(leadingTo(text, at));

/** Whether it stands in quotation marks, in a quoted line, or as a part of a sentence that goes on behind it. */
export function insideSentence(text: string, from: number, to: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
  if (/^\s*>/.test(line) || /["'“‘«`]$/.test(line)) return true;
  // Markdown's code block without fences.
  if (/^(?: {4,}|\t+)$/.test(line) && /\S[^\n]*\n[ \t]*\n$/.test(text.slice(0, from - line.length)))
    return true;
  const after = /^[^\n]*/.exec(text.slice(to))![0];
  return /[\w,]\s*$/.test(line) && /^\s*(?:[a-z]|[,;)]\s*[a-z])/.test(after);
}
