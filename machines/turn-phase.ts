/** Where a turn is, as it tells whoever invoked it: a session follows it, a subtask has no use for it. */
export interface PhaseEvent {
  type: 'PHASE';
  phase: 'thinking' | 'acting' | 'approving' | 'awaiting';
}
