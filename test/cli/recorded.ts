/** A short run as its journal told it: one subtask fails verification once, one makes a failed look-up. */
import type { JournalEvent, RunResult } from '../../actors/loom.ts';

const diff = '--- a/src/wrap.js\n+++ b/src/wrap.js\n@@ -6,1 +6,1 @@\n-    if (a) {\n+    if (b) {\n';

const events: [string, Record<string, unknown>][] = [
  ['task_planning', { goal: 'Fix the failing test' }],
  ['model_invocation', { phase: 'start', role: 'planner', alias: 'main', model: 'm' }],
  [
    'model_invocation',
    {
      phase: 'done',
      role: 'planner',
      alias: 'main',
      model: 'm',
      input_tokens: 900,
      output_tokens: 300,
      finish: 'stop',
    },
  ],
  [
    'task_plan_ready',
    {
      subtask_count: 4,
      subtask_ids: ['fix-wrap', 'tests', 'docs', 'check'],
      version: 1,
      subtasks: [
        { id: 'fix-wrap', description: 'Correct wrap()', depends_on: [], verification_tier: 1 },
        { id: 'tests', description: 'Test truncate()', depends_on: [], verification_tier: 1 },
        { id: 'docs', description: 'Describe the functions 日本語', depends_on: [], verification_tier: 1 },
        {
          id: 'check',
          description: 'Run everything',
          depends_on: ['fix-wrap', 'tests'],
          verification_tier: 2,
        },
      ],
    },
  ],
  ['task_executing', {}],
  ['subtask_started', { subtask_id: 'fix-wrap' }],
  ['subtask_started', { subtask_id: 'tests' }],
  ['subtask_started', { subtask_id: 'docs' }],
  ['model_invocation', { phase: 'start', role: 'executor', subtask_id: 'fix-wrap' }],
  [
    'model_invocation',
    {
      phase: 'retry',
      role: 'executor',
      subtask_id: 'docs',
      error: { code: 'rate_limit', message: 'too many requests' },
    },
  ],
  [
    'model_invocation',
    { phase: 'done', role: 'executor', subtask_id: 'fix-wrap', input_tokens: 1_500, output_tokens: 80 },
  ],
  ['tool_call_started', { subtask_id: 'fix-wrap', tool: 'read_file', call: 'c1', subject: 'src/wrap.js' }],
  [
    'tool_call_completed',
    {
      subtask_id: 'fix-wrap',
      tool: 'read_file',
      call: 'c1',
      subject: 'src/wrap.js',
      success: true,
      files_changed: [],
      duration_ms: 2,
    },
  ],
  ['tool_call_started', { subtask_id: 'docs', tool: 'read_file', call: 'c2', subject: 'NOTES.md' }],
  [
    'tool_call_completed',
    {
      subtask_id: 'docs',
      tool: 'read_file',
      call: 'c2',
      subject: 'NOTES.md',
      success: false,
      error: { code: 'not_found', message: 'NOTES.md does not\nexist' },
      files_changed: [],
      duration_ms: 1,
    },
  ],
  ['tool_call_started', { subtask_id: 'fix-wrap', tool: 'edit_file', call: 'c3', subject: 'src/wrap.js' }],
  [
    'tool_call_completed',
    {
      subtask_id: 'fix-wrap',
      tool: 'edit_file',
      call: 'c3',
      subject: 'src/wrap.js',
      success: true,
      diff,
      files_changed: ['src/wrap.js'],
      duration_ms: 5,
    },
  ],
  [
    'tool_call_started',
    { subtask_id: 'fix-wrap', tool: 'shell_execute', call: 'c4', subject: 'node --test\u001b[2J' },
  ],
  [
    'tool_call_completed',
    {
      subtask_id: 'fix-wrap',
      tool: 'shell_execute',
      call: 'c4',
      subject: 'node --test\u001b[2J',
      success: true,
      files_changed: [],
      duration_ms: 1_400,
    },
  ],
  [
    'verification_outcome',
    {
      subtask_id: 'fix-wrap',
      tier: 1,
      passed: true,
      outcome: 'pass',
      reason_code: '',
      confidence: 1,
      independent: true,
      feedback: '',
    },
  ],
  [
    'subtask_completed',
    {
      subtask_id: 'fix-wrap',
      status: 'completed',
      summary: 'wrap() counts the space',
      duration: 3,
      verification_outcome: 'pass',
      reason_code: '',
    },
  ],
  ['model_invocation', { phase: 'start', role: 'executor', subtask_id: 'docs' }],
  [
    'verification_outcome',
    {
      subtask_id: 'tests',
      tier: 1,
      passed: false,
      outcome: 'fail',
      reason_code: 'claimed_deliverable_missing',
      confidence: 1,
      feedback: 'test/truncate.test.js is missing',
    },
  ],
  [
    'subtask_retrying',
    {
      subtask_id: 'tests',
      attempt: 2,
      reason_code: 'claimed_deliverable_missing',
      feedback: 'test/truncate.test.js is missing',
    },
  ],
  [
    'approval_requested',
    {
      question_id: 'q1',
      kind: 'approval',
      subtask_id: 'tests',
      reason: 'may destroy data',
      proposed_action: 'rm -rf build',
      risk_level: 'destructive',
      rule: 'shell_execute(rm -rf build)',
      choices: ['approve', 'reject'],
    },
  ],
  [
    'approval_received',
    { question_id: 'q1', subtask_id: 'tests', approved: false, answer: 'reject', reason: 'not needed' },
  ],
  ['subtask_completed', { subtask_id: 'tests', status: 'completed', summary: 'Three tests', duration: 2 }],
  ['subtask_completed', { subtask_id: 'docs', status: 'completed', summary: 'Described', duration: 2 }],
  ['subtask_started', { subtask_id: 'check' }],
  ['subtask_completed', { subtask_id: 'check', status: 'completed', summary: 'All pass', duration: 1 }],
  [
    'tool_call_repaired',
    { subtask_id: 'check', tool: 'write_file', repaired: ['trailing comma'], source: 'json' },
  ],
  ['changes_undone', { change_ids: ['c1'], undo_id: 'u1', files_changed: ['src/wrap.js', 'made.txt'] }],
  ['task_completed', { completed: 4, total: 4 }],
];

export const recorded: JournalEvent[] = events.map(([event_type, data], i) => ({
  seq: i + 1,
  event_type,
  task_id: 'k3f9abcdef',
  timestamp: new Date(Date.UTC(2026, 0, 1, 12, 0, i)).toISOString(),
  data,
}));

const pass = { outcome: 'pass', reason_code: '', confidence: 1, independent: false };

export const result: RunResult = {
  type: 'result',
  task_id: 'k3f9abcdef',
  status: 'completed',
  exit_code: 0,
  goal: 'Fix the failing test',
  workspace: '/w',
  summary: 'Done.',
  subtasks: [
    {
      id: 'fix-wrap',
      status: 'completed',
      description: '',
      depends_on: [],
      attempts: 1,
      verification: pass,
      summary: 'wrap() counts the space',
    },
    {
      id: 'tests',
      status: 'completed',
      description: '',
      depends_on: [],
      attempts: 2,
      verification: pass,
      summary: 'Three tests',
    },
    {
      id: 'check',
      status: 'completed',
      description: '',
      depends_on: ['fix-wrap', 'tests'],
      attempts: 1,
      verification: pass,
      summary: 'All pass',
    },
  ],
  deliverables: ['src/wrap.js'],
  files_changed: ['src/wrap.js'],
  usage: { input_tokens: 20_500, output_tokens: 1_200, model_calls: 12, cost_usd: 0.0123 },
  duration_ms: 8_200,
};
