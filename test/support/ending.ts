/** What a test opens ends after it, however the test ends. */
import { afterEach } from 'vitest';
import type { Lab } from './lab.ts';
import { type Sandbox, sandbox } from './loom-process.ts';

/** For the top of a test file. `keep` hands a lab back and ends it after the test, `box` makes a sandbox that is removed
 *  then, `later` does anything else. */
export function ending(): {
  keep<T extends Pick<Lab, 'end'>>(made: T): T;
  box(scenario: string): Sandbox;
  later(end: () => unknown): void;
} {
  const ends: (() => unknown)[] = [];
  const later = (end: () => unknown): void => void ends.push(end);
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return {
    later,
    keep(made) {
      later(() => made.end());
      return made;
    },
    box(scenario) {
      const made = sandbox();
      later(made.remove);
      made.scenario(scenario);
      return made;
    },
  };
}
