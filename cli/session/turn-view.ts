/** What happens in a session, as it appears above the prompt. */
import type { JournalEvent, SessionEvent } from '../../actors/loom.ts';
import { type Data, errorText, num, str } from '../render/data.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import { clip, oneLine, safe } from '../render/width.ts';
import { mark, type Paint } from '../render/words.ts';
import { type AnswerView, answerView } from './answer-view.ts';
import { toolLines } from './tool-lines.ts';

export interface TurnViewOptions {
  paint: Paint;
  style(): MarkdownStyle;
  columns(): number;
  print(lines: string[]): void;
  /** Results that stand on the screen already. */
  known: JournalEvent[];
}

export interface TurnView {
  take(event: SessionEvent): void;
  /** The part of an answer that may still change. */
  rest(): string[];
  /** What goes on at this moment; '' while nothing does. */
  doing(): string;
  /** When the turn began, ms since the epoch; 0: none runs. */
  since(): number;
  /** Results of calls in their order. */
  results(): JournalEvent[];
  /** Calls of the turn that runs or of the last one. */
  calls(): number;
}

export function turnView(options: TurnViewOptions): TurnView {
  const { paint, print } = options;
  const answer: AnswerView = answerView(options.style, text => paint.dim(`(${text})`));
  const results = [...options.known];
  /** Calls under way, by their address. */
  const open = new Map<string, string>();
  let doing = '';
  let since = 0;
  let calls = 0;

  function begin(): void {
    doing = 'thinking';
    since = Date.now();
    calls = 0;
    open.clear();
  }

  function end(event: JournalEvent): void {
    print(answer.cutOff());
    const { data } = event;
    if (data['interrupted'] === true) print([paint.dim('(interrupted)')]);
    else if (errorText(data)) print([`${mark('failed', paint)} ${oneLine(errorText(data))}`]);
    doing = '';
    since = 0;
    open.clear();
  }

  function called(event: JournalEvent): void {
    calls += 1;
    open.delete(str(event.data, 'call'));
    results.push(event);
    print(toolLines(event, results.length, options.columns(), paint));
    doing = [...open.values()].at(-1) ?? 'thinking';
  }

  function fact(event: JournalEvent): void {
    const { data } = event;
    switch (event.event_type) {
      case 'turn_started':
        return begin();
      case 'turn_ended':
      case 'turn_failed':
        return end(event);
      case 'assistant_message':
        print(data['interrupted'] === true ? answer.cutOff() : answer.committed(str(data, 'text')));
        return;
      case 'tool_call_started':
        doing = clip(oneLine(`${str(data, 'tool')} ${str(data, 'subject')}`), 60);
        open.set(str(data, 'call'), doing);
        return;
      case 'tool_call_completed':
        return called(event);
      default: {
        const line = aside(event.event_type, data, paint);
        if (line) print([line]);
      }
    }
  }

  return {
    take(event) {
      if (event.type === 'event') return fact(event.event);
      if (doing !== '') doing = 'writing';
      print(answer.take(event.preview));
    },
    rest: () => answer.rest(),
    doing: () => doing,
    since: () => since,
    results: () => results,
    calls: () => calls,
  };
}

/** What a person should know beside answers and calls; null for the rest. */
function aside(type: string, data: Data, paint: Paint): string | null {
  switch (type) {
    case 'tool_call_uncertain':
      return `${mark('asking', paint)} nobody knows whether this finished: ${oneLine(str(data, 'tool'))} ${clip(oneLine(str(data, 'subject')), 120)}`;
    case 'model_invocation':
      return modelTrouble(data, paint);
    case 'behavior_learned':
    case 'pattern_learned':
      return paint.dim(`noted for later: ${safe(str(data, 'description') || str(data, 'rule'))}`);
    case 'steer_instruction':
      return paint.dim('told; it counts from the next step on');
    default:
      return null;
  }
}

function modelTrouble(data: Data, paint: Paint): string | null {
  const phase = str(data, 'phase');
  if (phase === 'retry')
    return `${mark('retrying', paint)} asks the model again (${num(data, 'attempt') + 1}): ${oneLine(errorText(data))}`;
  if (phase === 'failed')
    return `${mark('failed', paint)} the model did not answer: ${oneLine(errorText(data))}`;
  if (data['prompt_truncated'])
    return `${mark('retrying', paint)} the server cut the prompt silently; raise context_tokens of ${oneLine(str(data, 'alias'))}`;
  return null;
}
