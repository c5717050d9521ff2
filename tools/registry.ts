/** All tools, one explicit list, and the one way to call them: validated, limited in time and size, never throwing. */

import { type Failure, failure, LoomError } from '../machines/failure.ts';
import { analyzeCode } from './analyze-code.ts';
import { askUser } from './ask-user.ts';
import { calculator } from './calculator.ts';
import { fitName } from './calls/fit-call.ts';
import { headAndTail, KEPT } from './cut.ts';
import { declaredAssessment } from './declaration.ts';
import { delegateTask } from './delegate-task.ts';
import { documentWrite } from './document-write.ts';
import { deleteFile } from './files/delete-file.ts';
import { editFile } from './files/edit-file.ts';
import { globFind } from './files/glob-find.ts';
import { listDirectory } from './files/list-directory.ts';
import { moveFile } from './files/move-file.ts';
import { readFile } from './files/read-file.ts';
import { ripgrepSearch } from './files/ripgrep-search.ts';
import { searchFiles } from './files/search-files.ts';
import { undoChanges } from './files/undo-changes.ts';
import { writeFile } from './files/write-file.ts';
import { LIST_TOOLS, listTools } from './list-tools.ts';
import { namingField } from './naming.ts';
import { readArtifact } from './read-artifact.ts';
import { failed } from './result.ts';
import { gathered, RUN_TOOL, runTool } from './run-tool.ts';
import { gitCommand } from './shell/git-command.ts';
import { shellExecute } from './shell/shell-execute.ts';
import { spreadsheet } from './spreadsheet.ts';
import { taskTracker } from './task-tracker.ts';
import type { Args, Assessment, Tool, ToolContext, ToolResult, Workspace } from './tool.ts';
import { unknownTool, type Validation, validateCall } from './validate.ts';
import { webFetch } from './web/web-fetch.ts';
import { webSearch } from './web/web-search.ts';

const TOOLS: Tool[] = [
  readFile,
  writeFile,
  editFile,
  deleteFile,
  moveFile,
  undoChanges,
  listDirectory,
  globFind,
  ripgrepSearch,
  searchFiles,
  shellExecute,
  gitCommand,
  askUser,
  delegateTask,
  readArtifact,
  calculator,
  taskTracker,
  webFetch,
  webSearch,
  spreadsheet,
  documentWrite,
  analyzeCode,
];

/** A tool that does not answer to its signal is given up this much later, ms. */
const DEAF_AFTER = 1000;

export interface Registry {
  list(): Tool[];
  get(name: string): Tool | undefined;
  /** Mends what has one reading and fills in defaults; a refusal names the field that is wrong and what would be right. */
  validate(name: string, args: unknown): Promise<Validation>;
  /** By the tool's declaration, refined by what depends on arguments. What cannot be judged
   *  counts as destructive, so that a person is asked. */
  assess(name: string, args: Args, workspace: Workspace): Promise<Assessment>;
  run(name: string, args: unknown, context: ToolContext): Promise<ToolResult>;
}

const unjudged = (given: Args): Assessment => ({
  risks: ['exec'],
  effect: 'unknowable',
  mutates: true,
  subject: JSON.stringify(given).slice(0, 2000),
});

/** @param given more or other tools than the built-in ones; names must differ. `list_tools` and `run_tool` come with any. */
export function createRegistry(given: Tool[] = TOOLS): Registry {
  const others = given.filter(({ name }) => name !== LIST_TOOLS && name !== RUN_TOOL);
  const tools: Tool[] = [...others, listTools(() => tools), runTool];
  const byName = new Map(tools.map(tool => [tool.name, tool]));
  if (byName.size !== tools.length) throw new Error('two tools have the same name');

  async function validate(name: string, given: unknown): Promise<Validation> {
    const tool = byName.get(name);
    if (!tool) return { ok: false, failure: unknownTool(name, [...byName.keys()]) };
    if (tool !== runTool) return validateCall(tool, given);
    const outer = await validateCall(tool, gathered(given));
    return outer.ok ? inner(outer) : outer;
  }

  /** The call within `run_tool`, as if it had been made directly. */
  async function inner({ args, repaired }: Validation & { ok: true }): Promise<Validation> {
    const name = String(args['name']);
    const meant = fitName(name, tools.slice(0, -1));
    if ('refused' in meant) {
      const recursive = fitName(name, [runTool]);
      if ('refused' in recursive) return { ok: false, failure: unknownTool(name, [...byName.keys()]) };
      return {
        ok: false,
        failure: failure(
          'terminal',
          'invalid_arguments',
          'run_tool: name must be another tool than run_tool itself.',
          { fields: ['name'] },
        ),
      };
    }
    const found = await validateCall(byName.get(meant.value.name)!, args['arguments']);
    if (found.ok)
      return { ...found, repaired: [...repaired, ...meant.repaired, ...found.repaired], via: RUN_TOOL };
    const { detail } = found.failure;
    const fields = ((detail?.['fields'] ?? []) as string[]).map(field => `arguments.${field}`);
    return { ok: false, failure: { ...found.failure, detail: { ...detail, fields } } };
  }

  async function assess(name: string, given: Args, workspace: Workspace): Promise<Assessment> {
    const validation = await validate(name, given);
    if (validation.ok) {
      const { tool, args } = validation;
      try {
        const declared = await declaredAssessment(tool, args, workspace);
        return (await tool.assess?.(args, workspace, declared)) ?? declared;
      } catch {
        return {
          ...unjudged(given),
          risks: ['exec', 'destructive'],
          why: 'what it would do could not be judged',
        };
      }
    }
    // Refused when it is run: nothing has to be asked.
    return unjudged(given);
  }

  async function run(name: string, given: unknown, context: ToolContext): Promise<ToolResult> {
    const validation = await validate(name, given);
    if (!validation.ok) return failed(validation.failure);
    const { tool, args } = validation;
    const timeout = AbortSignal.timeout(tool.timeoutMs);
    const signal = AbortSignal.any([context.signal, timeout]);
    try {
      const result = await settled(tool.run(args, { ...context, signal }), signal);
      const error = result.error && namingField(result.error, tool, args);
      return await shortened({ ...result, error }, tool, context);
    } catch (error) {
      const failure = namingField(failureOf(error, tool, timeout, context.signal), tool, args);
      return shortened(failed(failure), tool, context);
    }
  }

  return { list: () => [...tools], get: name => byName.get(name), validate, assess, run };
}

function settled(work: Promise<ToolResult>, signal: AbortSignal): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const giveUp = () => {
      timer = setTimeout(() => reject(signal.reason), DEAF_AFTER);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    });
  });
}

/** What does not fit is kept, and named where the model will look for it. */
async function shortened(result: ToolResult, tool: Tool, context: ToolContext): Promise<ToolResult> {
  const { output, artifact } = result;
  const long = output.length > context.outputLimit;
  if (!long && !artifact) return result;
  const { untrusted } = result;
  const about = untrusted ? { source: untrusted.source, untrusted: true } : { source: tool.name };
  const id = artifact
    ? await context.artifacts.keep(artifact, about)
    : await context.artifacts.put(Buffer.from(output), about);
  const where = `all of it: read_artifact ${id}`;
  const named = output.includes(KEPT) ? output.replace(KEPT, where) : `${output}\n[${where}]`;
  const shown = long ? headAndTail(output, context.outputLimit, where).shown : named;
  return { ...result, output: shown, data: { ...result.data, artifact_ref: id } };
}

function failureOf(error: unknown, tool: Tool, timeout: AbortSignal, asked: AbortSignal): Failure {
  if (error instanceof LoomError) return error.failure;
  if (asked.aborted) return failure('terminal', 'aborted', `${tool.name} was stopped on request.`);
  if (timeout.aborted)
    return failure('terminal', 'timeout', `${tool.name} did not finish within ${tool.timeoutMs / 1000} s.`);
  const { code = '', message } = error as NodeJS.ErrnoException;
  const known: Record<string, [string, string]> = {
    ENOSPC: ['disk_full', 'the disk is full; make room and try again'],
    EDQUOT: ['disk_full', 'the disk quota is used up; make room and try again'],
    EACCES: ['no_permission', 'the system does not permit it'],
    EPERM: ['no_permission', 'the system does not permit it'],
    EROFS: ['no_permission', 'the file system is read-only'],
    ENOENT: ['not_found', 'a file or folder vanished meanwhile'],
    ENOTEMPTY: ['not_empty', 'the folder is not empty'],
    EMFILE: ['too_many_files', 'too many files are open; try again'],
  };
  const [word, text] = known[code] ?? ['tool_error', message];
  return failure(code === 'EMFILE' ? 'retryable' : 'terminal', word, `${tool.name} failed: ${text}.`);
}
