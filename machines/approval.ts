/** The effect gate: what may run, what must be asked, what is refused. Pure; decided before anything happens. */
/** Ordered from harmless to dangerous. */
export type Risk = 'read' | 'network' | 'write' | 'exec' | 'secret' | 'destructive';
export type ApprovalMode = 'auto' | 'manual' | 'confidence_threshold';
export type Gate = { decision: 'run' | 'ask' | 'deny'; reason: string };

export interface ApprovalPolicy {
  mode: ApprovalMode;
  /** Rules such as `shell_execute(npm test*)`, `write_file(src/**)`, `web_fetch(docs.example.org)`. */
  allow: string[];
  deny: string[];
}

/** What has been read before a call was thought of: nothing · files and outputs of this machine · words of strangers. */
export type Exposure = 'nothing' | 'local' | 'outside';

export interface GatedCall {
  tool: string;
  risks: Risk[];
  /** Command, path or host. */
  subject: string;
  /** Shell and git: the command may reach the network. */
  shell_network?: boolean;
  /** A command that no sandbox holds. */
  unconfined?: boolean;
  /** A request to a host that neither the user nor the plan has named. */
  unnamed?: boolean;
}

const RULE = /^\s*(\*|[A-Za-z_][\w.-]*)\s*(?:\(([\s\S]*)\))?\s*$/;

/** Parses `tool(pattern)`; null when it is not a rule. A rule without a pattern matches every call of the tool. */
export function parseRule(rule: string): { tool: string; pattern: string } | null {
  const found = RULE.exec(rule);
  return found ? { tool: found[1]!, pattern: found[2]?.trim() ?? '**' } : null;
}

/** `*` is any run of characters without `/` in a path, and in a command any that cannot begin a second command;
 *  `**` is any characters, `**` + `/` any folders or none. */
function patternToRegExp(pattern: string, isCommand: boolean): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '*' && pattern[i + 1] === '*') {
      const folders = pattern[i + 2] === '/' && !isCommand;
      source += folders ? '(?:[\\s\\S]*/)?' : '[\\s\\S]*';
      i += folders ? 2 : 1;
    } else if (c === '*') source += isCommand ? '[^;&|`$<>\\n]*' : '[^/]*';
    else if (c === '?') source += isCommand ? '.' : '[^/]';
    else source += c.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(`^${source}$`);
}

const isCommand = (call: GatedCall): boolean => call.tool === 'shell_execute' || call.tool === 'git_command';

export function ruleMatches(rule: string, call: GatedCall): boolean {
  const parsed = parseRule(rule);
  if (!parsed || (parsed.tool !== call.tool && parsed.tool !== '*')) return false;
  if (parsed.pattern === '**' || parsed.pattern === '') return true;
  return patternToRegExp(parsed.pattern, isCommand(call)).test(call.subject);
}

/** A rule to deny must not be evaded by writing a second command beside the denied one: it is held against each. */
export function denies(rule: string, call: GatedCall): boolean {
  if (ruleMatches(rule, call)) return true;
  if (!isCommand(call)) return false;
  const commands = call.subject.split(/[;&|`()<>\n]+|\$(?=\()/).map(part => part.trim());
  return commands.some(subject => ruleMatches(rule, { ...call, subject }));
}

/** The rule that would let exactly this call pass, as printed when nobody is there to ask. */
export const ruleFor = (call: GatedCall): string => `${call.tool}(${call.subject})`;

/** Deny rules win over allow rules, allow rules over the mode. In every mode a call is asked for that may be somebody else's
 *  wish, because of what was read before it, and could not be taken back. */
export function gate(policy: ApprovalPolicy, call: GatedCall, exposure: Exposure = 'nothing'): Gate {
  const denied = policy.deny.find(rule => denies(rule, call));
  if (denied) return { decision: 'deny', reason: `denied by rule ${denied}` };
  const allowed = policy.allow.find(rule => ruleMatches(rule, call));
  if (allowed) return { decision: 'run', reason: `allowed by rule ${allowed}` };
  if (call.risks.every(risk => risk === 'read')) return { decision: 'run', reason: 'read-only' };
  if (policy.mode === 'manual')
    return { decision: 'ask', reason: 'manual mode asks before everything but reads' };
  if (call.risks.includes('destructive')) return { decision: 'ask', reason: 'may destroy data' };
  if (call.risks.includes('secret')) return { decision: 'ask', reason: 'touches secrets' };
  if (call.shell_network) return { decision: 'ask', reason: 'a command that may reach the network' };
  if (call.unnamed && exposure !== 'nothing')
    return { decision: 'ask', reason: 'a host that neither the goal nor the plan names' };
  if (call.unconfined && exposure === 'outside')
    return { decision: 'ask', reason: 'a command outside the sandbox, after reading untrusted content' };
  return { decision: 'run', reason: `${policy.mode} mode` };
}
