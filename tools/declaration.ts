/** What a call would do, derived from what its tool declares. */
import type { Risk } from '../machines/approval.ts';
import type { EffectClass } from '../machines/effects.ts';
import { isSecretPath } from './result.ts';
import type { Args, Assessment, Operation, Tool, Workspace } from './tool.ts';

const MAX_SUBJECT = 2_000;
/** From harmless to dangerous, as the gate orders them. */
const ORDER: Risk[] = ['read', 'network', 'write', 'exec'];

/** What the operation that these arguments choose does. */
function operationOf({ effects }: Tool, args: Args): Operation {
  const chosen =
    typeof effects === 'object' && 'operations' in effects
      ? effects.operations[String(args[effects.by])]
      : effects;
  // An operation that nobody declared may do anything.
  if (chosen === undefined) return { does: 'exec' };
  return typeof chosen === 'string' ? { does: chosen } : chosen;
}

function effectOf(risks: Risk[]): EffectClass {
  if (risks.includes('exec')) return 'unknowable';
  return risks.includes('write') ? 'checkable' : 'repeatable';
}

/** Judges a call by its tool's declaration alone.
 *  @param args complete arguments
 *  @param workspace resolves the paths; one that cannot be resolved stands as it was written, `run` refuses it */
export async function declaredAssessment(tool: Tool, args: Args, workspace: Workspace): Promise<Assessment> {
  const { does, effect, mutates } = operationOf(tool, args);
  const reach = [does].flat();
  const risks = ORDER.filter(risk => (reach as Risk[]).includes(risk));
  const changes = risks.includes('write') || risks.includes('exec');
  const named = (tool.paths ?? []).flatMap(name => args[name] ?? []).map(String);
  const paths = await Promise.all(
    named.map(path =>
      workspace.resolve(path, { access: changes ? 'write' : 'read', follow: !changes }).catch(() => path),
    ),
  );
  const about = tool.subject ?? tool.parameters.required?.[0];
  const subject = tool.subject || paths.length === 0 ? String(args[about ?? ''] ?? '') : paths.join(' -> ');
  return {
    // What a call takes from one path to another it can be read from there.
    risks: (!changes || paths.length > 1) && paths.some(isSecretPath) ? [...risks, 'secret'] : risks,
    effect: effect ?? effectOf(risks),
    mutates: mutates ?? changes,
    subject: subject.slice(0, MAX_SUBJECT),
  };
}
