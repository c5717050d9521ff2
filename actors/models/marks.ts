/** Marks of chat templates around thinking, and those that say nothing once the answer is read. */

interface ThinkingMark {
  open: RegExp;
  close: RegExp;
  /** What the opening mark looks like, to wait for it while an answer streams in. */
  starts: string[];
  /** Words people also write in prose count only at the start of a line. */
  ownLine: boolean;
  /** The closing mark alone ends thinking that the template began. */
  orphan: boolean;
}

/** Sticky; `close` is also searched for. */
export const THINKING: readonly ThinkingMark[] = [
  {
    open: /<(?:seed:)?think(?:ing)?>/iy,
    close: /<\/(?:seed:)?think(?:ing)?>/iy,
    starts: ['<think>', '<thinking>', '<seed:think>'],
    ownLine: true,
    orphan: true,
  },
  { open: /◁think▷/y, close: /◁\/think▷/y, starts: ['◁think▷'], ownLine: false, orphan: true },
  // Magistral
  { open: /\[THINK\]/y, close: /\[\/THINK\]/y, starts: ['[THINK]'], ownLine: true, orphan: true },
  // Cohere
  {
    open: /<\|START_THINKING\|>/y,
    close: /<\|END_THINKING\|>/y,
    starts: ['<|START_THINKING|>'],
    ownLine: false,
    orphan: true,
  },
  // gpt-oss
  {
    open: /(?:<\|start\|>assistant)?<\|channel\|>\s*analysis\s*<\|message\|>/y,
    close: /<\|end\|>|<\|return\|>|(?=<\|start\|>|<\|channel\|>)/y,
    starts: ['<|channel|>analysis<|message|>', '<|start|>assistant<|channel|>analysis<|message|>'],
    ownLine: false,
    orphan: false,
  },
  // Gemma 4
  {
    open: /<\|channel>(?:thought(?:\n|(?=<)))?/y,
    close: /<channel\|>/y,
    starts: ['<|channel>thought'],
    ownLine: false,
    orphan: true,
  },
];

/** Marks that stand around an answer, wherever they stand, and those that only end one. Sticky. */
export const TOKENS = new RegExp(
  [
    String.raw`(?:<\|start\|>assistant)?<\|channel\|>\s*(?:final|commentary)[^<\n]*(?:<\|constrain\|>\w*\s*)?<\|message\|>`,
    String.raw`<\|start\|>assistant(?=<\|)`,
    String.raw`<\|im_start\|>(?:assistant\b)?`,
    String.raw`<\|(?:START|END)_(?:RESPONSE|TEXT)\|>`,
    String.raw`(?:<\|(?:end|return|call|im_end|eot|eot_id|eom_id|endoftext|end_of_text|END_OF_TURN_TOKEN|user|observation|role_end)\|>|<｜end▁of▁sentence｜>|<\|end▁of▁sentence\|>|<end_of_turn>|<turn\|>|</s>)(?=\s*(?:<[^<>\s]*>\s*)*(?![\s\S]))`,
    String.raw`<\|end\|>(?=<\|start\|>)`,
  ].join('|'),
  'y',
);
