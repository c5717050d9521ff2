/** The powers that the effects of one task are given. */
import type { ApprovalPolicy } from '../../machines/approval.ts';
import type { Cost } from '../../machines/budget.ts';
import type { Blobs } from '../../store/blobs-port.ts';
import type { Config } from '../../store/config.ts';
import type { Store } from '../../store/port.ts';
import type { Delegate } from '../../tools/delegated.ts';
import type { Registry } from '../../tools/registry.ts';
import type { Workspace } from '../../tools/tool.ts';
import type { WebAccess } from '../../tools/web/access.ts';
import type { FitWindow } from '../context-window.ts';
import type { EffectContext } from '../effect.ts';
import type { ToolSchema } from '../models/model.ts';
import type { Router, RouterAnswer } from '../models/router.ts';
import type { TaskRows } from './rows.ts';

export interface TaskDeps {
  run: string;
  goal: string;
  store: Store;
  rows: TaskRows;
  blobs: Blobs;
  /** Folder for the working copies of commands. */
  scratch: string;
  workspace: Workspace;
  registry: Registry;
  /** Schemas of all tools: what answers are read by. Requests carry a choice of them, `offered.ts`. */
  tools: ToolSchema[];
  router: Router;
  config: Config;
  policy: ApprovalPolicy;
  web: Pick<WebAccess, 'client' | 'search'>;
  /** The power to start a task for a call; absent where none may be delegated. */
  delegate?: (call: { key: string; subtask: string | null }, context: EffectContext) => Delegate;
  now: () => number;
  /** How a turn's requests are fitted to the window, where that is not as for a subtask. */
  fitting?: FitWindow;
}

/** What a model call really cost, from the price of the model that answered. */
export function costOf(config: Config, routed: Pick<RouterAnswer, 'alias' | 'response'>): Cost {
  const model = config.models[routed.alias];
  const { input_tokens, output_tokens } = routed.response.usage;
  const usd = (input_tokens * (model?.price_input ?? 0) + output_tokens * (model?.price_output ?? 0)) / 1e6;
  return { tokens: input_tokens + output_tokens, usd, model_calls: 1, tool_calls: 0 };
}
