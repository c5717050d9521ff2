/** Evaluates an expression while it parses it (Pratt): Python's operators and precedence, percent, chained comparisons. */

import { nearest } from '../nearest.ts';
import {
  add,
  compare,
  divide,
  failure,
  floorDivide,
  modulo,
  multiply,
  numeric,
  power,
  subtract,
  type Value,
} from './arithmetic.ts';
import { CONSTANTS, FUNCTIONS } from './functions.ts';
import { type Token, tokensOf } from './tokens.ts';

const MAX_DEPTH = 100;

/** How tightly operators bind. A sign binds less than a power: -2 ** 2 is -4. */
const COMPARE = 1;
const SUM = 2;
const PRODUCT = 3;
const SIGN = 4;
const POWER = 5;

const OPERATORS: Record<string, { binds: number; apply: (a: Value, b: Value) => Value }> = {
  '+': { binds: SUM, apply: add },
  '-': { binds: SUM, apply: subtract },
  '*': { binds: PRODUCT, apply: multiply },
  '/': { binds: PRODUCT, apply: divide },
  '//': { binds: PRODUCT, apply: floorDivide },
  '%': { binds: PRODUCT, apply: modulo },
  of: { binds: PRODUCT, apply: multiply },
};
const COMPARISONS = ['<', '<=', '>', '>=', '==', '!='];

function numberOf(text: string): Value {
  const digits = text.replaceAll('_', '');
  if (/^0[xbo]/i.test(digits) || /^\d+$/.test(digits)) return BigInt(digits);
  return Number(digits);
}

class Evaluation {
  private position = 0;
  private depth = 0;
  private readonly tokens: Token[];

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  whole(): Value {
    const value = this.expression(0);
    const { kind, text, at } = this.token;
    if (kind === 'end') return value;
    if (text === ',')
      throw failure(
        `the comma at character ${at + 1} is not inside a call or a list; write 1000 or 1_000 for 1,000`,
      );
    throw failure(`${JSON.stringify(text)} at character ${at + 1} was not expected`);
  }

  private get token(): Token {
    return this.tokens[this.position]!;
  }

  private take(): Token {
    return this.tokens[this.position++]!;
  }

  private accept(text: string): boolean {
    const { kind, text: found } = this.token;
    if (kind === 'number' || found !== text) return false;
    this.position++;
    return true;
  }

  private expect(text: string, what: string): void {
    if (this.accept(text)) return;
    const { kind, at } = this.token;
    throw failure(`${what} misses its ${text}${kind === 'end' ? '' : ` at character ${at + 1}`}`);
  }

  /** @param least operators that bind less are left to the caller */
  private expression(least: number): Value {
    if (++this.depth > MAX_DEPTH) throw failure(`the expression is nested more than ${MAX_DEPTH} deep`);
    let left = this.operand();
    for (;;) {
      const { kind, text } = this.token;
      if (kind === 'number' || kind === 'end') break;
      if (text === '**' && POWER >= least) {
        this.take();
        left = power(left, this.expression(SIGN));
        continue;
      }
      if (text === '%' && this.isPercent()) {
        this.take();
        left = divide(left, 100n);
        continue;
      }
      const operator = Object.hasOwn(OPERATORS, text) ? OPERATORS[text] : undefined;
      if (operator && operator.binds >= least) {
        this.take();
        left = operator.apply(left, this.expression(operator.binds + 1));
        continue;
      }
      if (COMPARISONS.includes(text) && COMPARE >= least) {
        left = this.comparison(left);
        continue;
      }
      break;
    }
    this.depth--;
    return left;
  }

  /** `a < b < c` holds when both do. */
  private comparison(first: Value): boolean {
    let left = first;
    let holds = true;
    while (COMPARISONS.includes(this.token.text)) {
      const { text } = this.take();
      const right = this.expression(SUM);
      holds = compare(text, left, right) && holds;
      left = right;
    }
    return holds;
  }

  /** 17 % 5 divides; 20% before an operator, a bracket or the end is a percentage. Before a sign the space decides. */
  private isPercent(): boolean {
    const { kind, text, at } = this.tokens[this.position + 1]!;
    if (kind === 'end' || text === 'of') return true;
    if (text === '+' || text === '-') {
      const { at: mark } = this.token;
      const before = this.tokens[this.position - 1]!;
      if (before.at + before.text.length < mark) return false;
      throw failure(
        `% at character ${this.token.at + 1} before ${text} at character ${at + 1} can be read in two ways: write (5%) ${text} 3 for a percentage, 5 % (${text}3) for the remainder`,
      );
    }
    return kind === 'operator' && text !== '(' && text !== '[';
  }

  private operand(): Value {
    const token = this.take();
    if (token.kind === 'number') return numberOf(token.text);
    if (token.text === '-') return subtract(0n, numeric(this.expression(SIGN)));
    if (token.text === '+') return numeric(this.expression(SIGN));
    if (token.text === '[') return this.list(']', 'the list');
    if (token.text === '(') {
      const items = this.list(')', 'the bracket');
      const tuple = this.tokens[this.position - 2]?.text === ',' || items.length !== 1;
      return tuple ? items : items[0]!;
    }
    if (token.kind === 'name') return this.named(token);
    if (token.kind === 'end') throw failure('the expression ends where a number was expected');
    throw failure(`a number was expected at character ${token.at + 1}, not ${JSON.stringify(token.text)}`);
  }

  private list(close: string, what: string): Value[] {
    const items: Value[] = [];
    while (!this.accept(close)) {
      if (items.length > 0) this.expect(',', what);
      if (items.length > 0 && this.accept(close)) break;
      items.push(this.expression(0));
      if (this.token.text !== ',' && this.token.text !== close) this.expect(close, what);
    }
    return items;
  }

  private named({ text, at }: Token): Value {
    const callable = FUNCTIONS.get(text);
    if (this.accept('(')) {
      if (!callable)
        throw failure(`there is no function ${text}${this.suggest(text, [...FUNCTIONS.keys()])}`);
      const args = this.list(')', `${text}(…)`);
      if (args.length < callable.least || args.length > callable.most)
        throw failure(`${text} was given ${args.length} values; call it as ${callable.usage}`);
      return callable.call(args);
    }
    if (callable) throw failure(`${text} is a function; call it as ${callable.usage}`);
    const constant = CONSTANTS.get(text);
    if (constant !== undefined) return constant;
    throw failure(
      `unknown name ${text} at character ${at + 1}${this.suggest(text, [...CONSTANTS.keys(), ...FUNCTIONS.keys()])}`,
    );
  }

  private suggest(text: string, names: string[]): string {
    const similar = nearest(text, names);
    return similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : '';
  }
}

/**
 * @param expression at most 1,000 characters; that and the limits of each operation bound the work to some milliseconds
 * @throws LoomError `calculation_failed`
 */
export const evaluate = (expression: string): Value => new Evaluation(tokensOf(expression)).whole();
