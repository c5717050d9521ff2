/** What one deterministic check can say, and the rules that a process may set for all of them. */

/** passed: the world supports it · advisory: told, fails nothing · unsure: cannot be told from here, so somebody has to
 *  read it · failed: the world contradicts it, whatever anybody says. */
type CheckResult = 'passed' | 'advisory' | 'unsure' | 'failed';

export interface Check {
  name: string;
  result: CheckResult;
  detail: string;
}

export const passed = (name: string, detail: string): Check => ({ name, result: 'passed', detail });
export const advisory = (name: string, detail: string): Check => ({ name, result: 'advisory', detail });
export const unsure = (name: string, detail: string): Check => ({ name, result: 'unsure', detail });
export const failed = (name: string, detail: string): Check => ({ name, result: 'failed', detail });

/** `all_tools_hard`: the last outcome of every distinct mutating operation counts · `safety_integrity_only`: only a
 *  refusal for safety or integrity does. Errors of looking around never count. */
type ToolSuccessPolicy = 'all_tools_hard' | 'safety_integrity_only';

/** A match of `pattern` is a violation. */
export interface RegexRule {
  id: string;
  /** Source of a JavaScript regular expression. */
  pattern: string;
  flags?: string;
  /** What is searched: the last answer, the deliverables, or every changed file. */
  target: 'output' | 'deliverables' | 'changes';
  enforcement: 'hard' | 'advisory';
  message: string;
}

export interface CheckRules {
  tool_success_policy: ToolSuccessPolicy;
  regex: RegexRule[];
}

export const DEFAULT_RULES: CheckRules = { tool_success_policy: 'all_tools_hard', regex: [] };
