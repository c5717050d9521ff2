/** A prompt for tests: says what was entered, writes above the prompt on command. */
import enquirer from 'enquirer';
import { openTerminal } from '../../../cli/session/terminal.ts';

let ticks = 0;
const terminal = openTerminal({
  input: process.stdin,
  output: process.stdout,
  prompt: '> ',
  history: ['the one before'],
  complete: async line => [['/help ', '/history '].filter(word => word.startsWith(line)), line],
  onEntry(text) {
    if (text === 'tick') {
      const timer = setInterval(() => {
        ticks += 1;
        terminal.live([`working ${ticks}`, 'still']);
        if (ticks % 5 === 0) terminal.print([`line ${ticks / 5}`]);
        if (ticks === 25) {
          clearInterval(timer);
          terminal.live([]);
          terminal.print(['all done']);
        }
      }, 30);
    } else if (text === 'ask') {
      void terminal
        .borrow(() =>
          enquirer.prompt<{ x: string }>({
            type: 'select',
            name: 'x',
            message: 'Which?',
            choices: ['red', 'blue'],
          }),
        )
        .then(({ x }) => terminal.print([`chosen ${x}`]));
    } else terminal.print([`entry ${JSON.stringify(text)}`]);
  },
  onInterrupt: () => terminal.print(['interrupted']),
  onEnd: () => terminal.close(),
  onSuspend: () => undefined,
});
