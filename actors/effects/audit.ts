/** How each obligation stands at the end of the work: shown, overtaken by a later change, or never shown. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GOAL, type Obligation } from '../../machines/obligations.ts';
import type { FinalizeInput } from '../../machines/task.ts';
import { accepted } from '../../machines/verdict.ts';
import { commandsIn, DOCUMENT, isTest, match } from './checks/commands.ts';
import type { TaskDeps } from './deps.ts';
import { allShown, allWrites, type ShownBy, type Write } from './owed.ts';
import type { ToolTrace } from './rows.ts';

export interface Standing {
  owed: Obligation;
  shown: ShownBy | null;
  /** Why it is not shown to hold, to follow its text in a sentence; null: it is. */
  why: string | null;
}

type Command = { trace: ToolTrace; step: number; effect: string };

/** Commands of a run that are looked through; more than any plan names. */
const MAX_COMMANDS = 2_000;

export async function audit(
  deps: TaskDeps,
  { version }: Pick<FinalizeInput, 'version'>,
): Promise<Standing[]> {
  const owed = await deps.rows.obligations(version);
  if (owed.list.length === 0) return [];
  const [shown, writes] = await Promise.all([allShown(deps), allWrites(deps)]);
  const named = owed.list.some(each => commandsIn(each.text).length > 0);
  const commands = named ? await deps.rows.commands(MAX_COMMANDS) : [];
  const told = owed.list.flatMap(each => commandsIn(each.text));
  const changes = [...writes].filter(([path, write]) => !harmless(path, write, told));
  const lastChange = Math.max(0, ...changes.map(([, write]) => write.seq));
  return Promise.all(
    owed.list.map(async (each): Promise<Standing> => {
      const evidence = shown.get(each.id) ?? null;
      return (
        commandStanding(each, evidence, commands, lastChange) ?? {
          owed: each,
          shown: evidence,
          why: await why(deps, each, evidence, writes),
        }
      );
    }),
  );
}

/** What commands of the criteria and tests write themselves overtakes none of them, and neither does a report. */
const harmless = (path: string, { command }: Write, told: string[]): boolean =>
  DOCUMENT.test(path) ||
  (command !== undefined &&
    (isTest(command) || told.some(each => match({ subject: command, exit_code: 0 }, each) !== 'none')));

/** Of an obligation that a command shows, or that names one which was run: its last outcome counts, and it must be younger
 *  than any change. A command that nobody ran shows nothing; whoever accepted the work without it does. */
function commandStanding(
  owed: Obligation,
  evidence: ShownBy | null,
  commands: Command[],
  lastChange: number,
): Standing | null {
  const shownBy = evidence?.command;
  const isIt = (trace: ToolTrace): boolean =>
    shownBy
      ? trace.subject === shownBy.subject
      : owed.subtask === GOAL && commandsIn(owed.text).some(text => match(trace, text) === 'clear');
  const ran = commands.findLast(({ trace }) => isIt(trace));
  if (!ran?.trace.at) return null;
  const { trace, step } = ran;
  const command = `\`${trace.subject.slice(0, 120)}\``;
  const why =
    trace.exit_code !== 0
      ? `does not hold: ${command} ended with exit code ${trace.exit_code} when it was last run`
      : step < lastChange
        ? `is not shown: ${command} was not run again after the last change`
        : null;
  const shown: ShownBy = {
    obligation: owed.id,
    effect: ran.effect,
    seq: step,
    verdict: why === null ? 'pass' : 'fail',
    by: 'command',
    paths: null,
    command: { subject: trace.subject, at: trace.at! },
  };
  return { owed, shown, why };
}

async function why(
  deps: TaskDeps,
  owed: Obligation,
  shown: ShownBy | null,
  writes: Map<string, Write>,
): Promise<string | null> {
  // Judged when everything else is shown.
  if (owed.subtask === GOAL) return null;
  if (!shown || !accepted(shown.verdict)) return 'was never shown';
  const later = (shown.paths ?? []).filter(path => (writes.get(path)?.seq ?? 0) > shown.seq);
  if (later.length === 0) return null;
  // That a file is there can be seen without anybody's judgement.
  if (owed.from === 'deliverable') {
    const found = await stat(join(deps.workspace.root, owed.paths?.[0] ?? '')).catch(() => null);
    return found && (found.isDirectory() || found.size > 0) ? null : 'is not so any more';
  }
  return `was accepted before ${later.slice(0, 3).join(', ')} changed again, and nobody has looked since`;
}
