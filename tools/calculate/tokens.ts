/** Cuts an expression into tokens. */

import { failure } from './arithmetic.ts';

export interface Token {
  kind: 'number' | 'name' | 'operator' | 'end';
  text: string;
  /** Offset in the expression. */
  at: number;
}

const TOKEN =
  /\s*(?:(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|\/\/|<=|>=|==|!=|[-+*/%()[\],<>]))/y;

/** What people write in other notations, and what to write here. */
const MEANT: Record<string, string> = {
  '^': 'write ** for a power',
  '×': 'write * to multiply',
  '÷': 'write / to divide',
  '−': 'write - to subtract',
  '=': 'write == to compare; variables cannot be set',
  "'": 'only numbers can be calculated with',
  '"': 'only numbers can be calculated with',
  $: 'leave out currency signs',
  '€': 'leave out currency signs',
};

/** @throws LoomError naming the place */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (expression.slice(TOKEN.lastIndex).trim() !== '') {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(expression);
    if (!found) {
      const rest = expression.slice(from).trimStart();
      const at = expression.length - rest.length;
      const hint = MEANT[rest[0]!];
      throw failure(
        `${JSON.stringify(rest[0])} at character ${at + 1} means nothing here${hint ? `: ${hint}` : ''}`,
      );
    }
    const [, number, name, operator] = found;
    const text = (number ?? name ?? operator)!;
    tokens.push({
      kind: number ? 'number' : name ? 'name' : 'operator',
      text,
      at: TOKEN.lastIndex - text.length,
    });
  }
  tokens.push({ kind: 'end', text: '', at: expression.length });
  return tokens;
}
