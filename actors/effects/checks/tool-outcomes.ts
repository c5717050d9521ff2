/** Outcomes of calls: errors of looking around never count, the last outcome of each distinct change does. */
import type { ToolTrace } from '../rows.ts';
import { advisory, type Check, unsure } from './check.ts';
import type { World } from './world.ts';

/** Refusals that protect the workspace or somebody else's work. */
const SAFETY = /^(?:path_outside|path_denied|conflict|stale|changed_since_read|denied)$/;

export async function toolOutcomes(world: World): Promise<Check[]> {
  const last = new Map<string, ToolTrace>();
  for (const trace of world.traces) {
    if (trace.mutates !== true) continue;
    // A file that a later call did change is not held against the call before, whichever tool it was.
    for (const path of trace.files_changed) last.delete(path);
    last.delete(trace.subject);
    last.set(trace.subject, trace);
  }
  return [...last.values()].filter(trace => !trace.success).map(trace => judged(world, trace));
}

function judged(world: World, trace: ToolTrace): Check {
  const name = `tool_${trace.tool}_${trace.subject.slice(0, 80)}`;
  const code = trace.exit_code === undefined ? '' : ` with exit code ${trace.exit_code}`;
  const detail = `The last ${trace.tool} of ${trace.subject.slice(0, 120)} failed${code}.`;
  const counts = world.rules.tool_success_policy === 'all_tools_hard' || SAFETY.test(trace.error ?? '');
  // Not a failure of the work by itself: what it was for may have been reached another way.
  return counts ? unsure(name, detail) : advisory(name, detail);
}
