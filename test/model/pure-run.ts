/** What the host must do, in fifty lines: the same reactions with nothing but memory. Stopped effects settle at once,
 *  as the effects of the test do; time is the milliseconds each alarm has left. */
import {
  type Catalogue,
  type EffectEntry,
  type JournalLine,
  newRun,
  type Outside,
  type Run,
  react,
} from '../../machines/react.ts';

export const isWork = (effect: EffectEntry): boolean =>
  effect.source !== 'alarm' && effect.source !== 'question';

export const isQuestion = (effect: EffectEntry): boolean => effect.source === 'question';

export class PureRun {
  run: Run;
  readonly journal: JournalLine[] = [];
  /** Equals the stored head's rev. */
  commits = 0;
  /** parked: nobody works on it until somebody resumes. */
  state: 'up' | 'parked' | 'over' = 'up';
  /** Milliseconds until each alarm rings. */
  private readonly left = new Map<string, number>();
  /** Milliseconds since the last commit: whoever restores cannot know that they passed, so no alarm pays for them. */
  private unseen = 0;
  private readonly catalogue: Catalogue;

  constructor(catalogue: Catalogue, ledger: Run['ledger']) {
    this.catalogue = catalogue;
    this.run = newRun('x', 'task/x', ledger);
  }

  effects(which: (effect: EffectEntry) => boolean): EffectEntry[] {
    return Object.values(this.run.effects)
      .filter(effect => effect.state === 'open' && which(effect))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Alarms stand still while a question below their owner is open, deadlines also while nothing goes on there. */
  ticking(): EffectEntry[] {
    return this.effects(({ source, path, id }) => {
      if (source !== 'alarm') return false;
      const below = this.effects(
        other => other.source !== 'alarm' && `${other.path}/`.startsWith(`${path}/`),
      );
      return !below.some(isQuestion) && (id !== 'deadline' || below.length > 0);
    });
  }

  /** Milliseconds until the next alarm rings; undefined: none does by itself, or two would at once, in either order. */
  next(): number | undefined {
    const [first, second] = this.ticking()
      .map(({ key }) => this.left.get(key)!)
      .sort((a, b) => a - b);
    return first === second ? undefined : first;
  }

  pass(ms: number): void {
    this.unseen += ms;
    const ringing: string[] = [];
    for (const { key } of this.ticking()) {
      const left = this.left.get(key)! - ms;
      this.left.set(key, left);
      if (left <= 0) ringing.push(key);
    }
    this.take(...ringing.map((key): Outside => ({ type: 'settled', key, output: { ok: true } })));
  }

  take(...events: Outside[]): void {
    const queue = [...events];
    for (let outside = queue.shift(); outside; outside = queue.shift()) {
      const reaction = react(this.catalogue, this.run, outside);
      if (reaction.fault) throw new Error(JSON.stringify(reaction.fault));
      this.run = reaction.next;
      this.committed();
      this.journal.push(...reaction.journal);
      for (const { key, source, input } of reaction.start)
        if (source === 'alarm') this.left.set(key, (input as { ms: number }).ms);
      for (const { key } of reaction.stop)
        if (this.run.effects[key]) queue.push({ type: 'settled', key, output: { ok: true } });
    }
    const open = Object.values(this.run.effects);
    if (this.run.output !== undefined && open.length === 0) this.rest('over');
    else if (open.every(effect => effect.source === 'alarm' && effect.id === 'deadline')) this.rest('parked');
  }

  /** The host's own last commit. */
  rest(state: 'parked' | 'over'): void {
    this.state = state;
    this.committed();
  }

  private committed(): void {
    this.commits += 1;
    this.unseen = 0;
  }

  /** As the next owner finds it: a command that had begun is uncertain, a model call is paid for and made again. */
  restore(resume: boolean, uncertain: unknown): void {
    for (const { key } of this.ticking()) this.left.set(key, this.left.get(key)! + this.unseen);
    this.committed();
    const stored = JSON.parse(JSON.stringify(this.run)) as Run;
    const effects = Object.entries(stored.effects).sort(([a], [b]) => (a < b ? -1 : 1));
    this.run = { ...stored, effects: Object.fromEntries(effects), step: this.commits };
    this.state = 'up';
    const lost = this.effects(effect => isWork(effect) && effect.class === 'unknowable');
    const again = this.effects(effect => isWork(effect) && effect.reserved.model_calls > 0);
    this.take(
      ...lost.map(({ key }): Outside => ({ type: 'settled', key, output: uncertain, used: 'unknown' })),
      { type: 'recovered', keys: again.map(({ key }) => key) },
      ...(resume ? [{ type: 'command' as const, event: { type: 'RESUME' } }] : []),
    );
  }
}
