/** The weak harness: ask the model, run the tools it calls, until it answers without a call. Its word is the outcome. */
import type { Loom } from '../../../actors/loom.ts';
import type { Errand, Outcome } from './loom-side.ts';

const MAX_CALLS = 20;

interface Answer {
  content: string | null;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
}

/** @param tools those of Loom, so that the loop alone makes the difference */
export async function runInPlainLoop(
  errand: Errand & { prompt: string },
  tools: Loom['tools'],
  url: string,
): Promise<Outcome> {
  const { key, prompt, workspace } = errand;
  const messages: object[] = [
    {
      role: 'system',
      content: 'You work in a folder with tools. When the task is done, say so without calling a tool.',
    },
    { role: 'user', content: prompt },
  ];
  for (let calls = 1; calls <= MAX_CALLS; calls++) {
    const answer = await ask(url, messages, tools);
    if (!answer.tool_calls?.length) {
      const completed = !/"status":\s*"(?:partial|failed|blocked)"/.test(answer.content ?? '');
      return { key, completed, model_calls: calls, ended: completed ? 'completed' : 'given up' };
    }
    messages.push({ role: 'assistant', ...answer });
    for (const { id, function: call } of answer.tool_calls)
      messages.push({ role: 'tool', tool_call_id: id, content: await result(tools, call, workspace) });
  }
  return { key, completed: false, model_calls: MAX_CALLS, ended: 'out of calls' };
}

async function ask(url: string, messages: object[], tools: Loom['tools']): Promise<Answer> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
    body: JSON.stringify({
      model: 'worker',
      messages,
      tools: tools.list().map(tool => ({ type: 'function', function: tool })),
    }),
  });
  if (!response.ok) throw new Error(`the model server answered ${response.status}: ${await response.text()}`);
  const body = (await response.json()) as { choices: [{ message: Answer }] };
  const { content, tool_calls } = body.choices[0].message;
  return { content, ...(tool_calls ? { tool_calls } : {}) };
}

async function result(
  tools: Loom['tools'],
  call: { name: string; arguments: string },
  workspace: string,
): Promise<string> {
  let args: Record<string, unknown>;
  try {
    args = JSON.parse(call.arguments) as Record<string, unknown>;
  } catch (error) {
    return `Error: the arguments are not JSON: ${(error as Error).message}`;
  }
  const { success, output, error } = await tools.call(call.name, args, { workspace });
  return success ? output : `Error: ${error?.message ?? output}`;
}
