/** Lists of steps that subtasks note for themselves, as they are stored. */

export const STATUSES = ['pending', 'in_progress', 'completed'] as const;

export interface TrackedTask {
  /** From 1; never given twice in one list. */
  id: number;
  content: string;
  status: (typeof STATUSES)[number];
}

/** Value of a row `todo/<subtask>`. */
export interface TrackedList {
  tasks: TrackedTask[];
  next: number;
}

/** What the tool is given: its caller's list, kept with the same commit as the call's result. */
export interface Tracker {
  load(): Promise<TrackedList | null>;
  /** Lists of the others of the same run, by subtask. */
  others(): Promise<{ subtask: string; list: TrackedList }[]>;
  keep(list: TrackedList): void;
}
