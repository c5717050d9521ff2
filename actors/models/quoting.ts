/** Tells a call from a call somebody only writes about. */

/** Words before a call that make it an example or a report, not a call. */
const EXAMPLE = /\b(for example|for instance|e\.\s?g\.|examples?|such as)(?![\w.])[^\n.!?]{0,160}$/i;
const QUOTED =
  /\b(like this|looks? like|would (look|be|call|use|write)|could (call|use|write)|(you|one) (can|could|would|should|might)|how (to|you|one|it|they)|the (\w+ )?(format|syntax|schema|template)|in the form(at)? of|(you|they|he|she|it|user|model) (wrote|sent|said|saw|sees|printed|returned|emitted)|do(es)? not (call|use|write|send)|do n.t (call|use|write|send)|I (called|ran|used|executed|invoked)|I('ve| have) (called|run|used|executed))\b[^\n.!?]{0,160}$/i;
/** The model speaks of what it does next: then it is a call, however it is introduced. */
const INTENT =
  /\b(I('| wi)ll|I am going to|I'm going to|let me|let's|I need to|I should|I must|I want to|now I)\b[^\n.!?]{0,160}$/i;

/** A code fence that only introduces a call says nothing. */
const stripFence = (text: string): string => text.replace(/(^|\n)[ \t]*(```|~~~)[\w-]*\s*$/, '');

/** Only the paragraph that leads to the call speaks about it. */
function leadingTo(text: string, at: number): string {
  const before = stripFence(text.slice(Math.max(0, at - 300), at)).trimEnd();
  return before.slice(before.lastIndexOf('\n\n') + 1).replace(/\n/g, ' ');
}

/** Whether what stands from `at` is a call to be run, going by the words before it. */
export function meant(text: string, at: number): boolean {
  const before = leadingTo(text, at);
  if (/`$/.test(before) || EXAMPLE.test(before)) return false;
  return INTENT.test(before) || !QUOTED.test(before);
}

/** Whether the model announces what it does next right before `at`. */
export const announced = (text: string, at: number): boolean => INTENT.test(leadingTo(text, at));

/** Whether it stands in quotation marks, in a quoted line, or as a part of a sentence that goes on behind it. */
export function insideSentence(text: string, from: number, to: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
  if (/^\s*>/.test(line) || /["'“‘«`]$/.test(line)) return true;
  const after = /^[^\n]*/.exec(text.slice(to))![0];
  return /[\w,]\s*$/.test(line) && /^\s*(?:[a-z]|[,;)]\s*[a-z])/.test(after);
}
