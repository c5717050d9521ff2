/** Runs jobs in Loom: one home, one workspace a job, several runs side by side. It is given goals, never a truth. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLoom } from '../../../actors/engine.ts';

export interface Errand {
  key: string;
  goal: string;
  workspace: string;
}

export interface Outcome {
  key: string;
  /** The run says that it is done and verified. */
  completed: boolean;
  model_calls: number;
  /** What a person reads of a run that did not complete. */
  ended: string;
}

const toml = (url: string): string => `[models.worker]
provider = "openai_compatible"
base_url = "${url}"
model = "worker"
api_key = "sk-bench"
roles = ["planner", "executor", "extractor", "compactor"]
context_tokens = 32768

[models.reviewer]
provider = "openai_compatible"
base_url = "${url}"
model = "reviewer"
api_key = "sk-bench"
roles = ["verifier"]
context_tokens = 32768
`;

/** @param parallel runs at the same time */
export async function runInLoom(
  errands: Errand[],
  { url, home, parallel }: { url: string; home: string; parallel: number },
): Promise<Outcome[]> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'loom.toml'), toml(url), { mode: 0o600 });
  const loom = await openLoom({ home, workspace: home });
  const outcomes: Outcome[] = [];
  const waiting = [...errands];
  const worker = async (): Promise<void> => {
    for (let errand = waiting.shift(); errand; errand = waiting.shift()) {
      const { key, goal, workspace } = errand;
      const result = await loom.run({ goal, workspace, adopt: false });
      outcomes.push({
        key,
        completed: result.status === 'completed' && result.exit_code === 0,
        model_calls: result.usage.model_calls,
        ended: result.error ? `${result.error.code}: ${result.error.message}` : result.status,
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, worker));
  } finally {
    await loom.close();
  }
  return outcomes;
}
