/** What the simulated worker reads in a request: who asks for what, and what its earlier calls came to. */
import { createHash } from 'node:crypto';

interface WireMessage {
  role: string;
  content?: unknown;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** One message, without what differs from run to run. */
export interface Said {
  role: string;
  text: string;
  calls: { id: string; name: string; arguments: string }[];
  /** Of a result: the call it belongs to. */
  of: string;
}

export interface Conversation {
  /** planner, executor, verifier…; `worker` in the plain loop. */
  role: string;
  /** '' where it is about no subtask. */
  subtask: string;
  /** Key of the job, from the goal. */
  job: string;
  /** System message and the first words of the user. */
  prompt: string;
  /** What followed, in order. */
  rest: Said[];
}

const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map(part => String((part as { text?: string }).text ?? '')).join('')
      : '';

export function readConversation(body: Record<string, unknown>): Conversation {
  const said = (body['messages'] as WireMessage[]).map(
    (message): Said => ({
      role: message.role,
      text: textOf(message.content),
      calls: (message.tool_calls ?? []).map(({ id, function: call }) => ({ id, ...call })),
      of: message.tool_call_id ?? '',
    }),
  );
  const answered = said.findIndex(message => message.role === 'assistant');
  const opening = answered < 0 ? said : said.slice(0, answered);
  const prompt = opening.map(message => message.text).join('\n\n');
  return {
    role: /^# Loom (\w+)/m.exec(prompt)?.[1] ?? 'worker',
    subtask: /^Subtask: *(\S+)/m.exec(prompt)?.[1] ?? '',
    job: /\bJob (\S+):/.exec(prompt)?.[1] ?? '',
    prompt,
    rest: answered < 0 ? [] : said.slice(answered),
  };
}

/** A digest of the conversation after each message; ids of calls, which are random, count for nothing. */
export function digests({ prompt, rest }: Conversation): string[] {
  const list = [digest(prompt)];
  for (const { role, text, calls } of rest)
    list.push(digest(list.at(-1)!, role, text, ...calls.map(call => `${call.name} ${call.arguments}`)));
  return list;
}

const digest = (...parts: string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
