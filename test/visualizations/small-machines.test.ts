/** Small machines with every kind of state, as a person reads them in a terminal. */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { light, litPath, positionOf, readChart } from '../../visualizations/chart.ts';
import { dot } from '../../visualizations/dot.ts';
import { mermaid } from '../../visualizations/mermaid.ts';
import { endingLines, legend, treeLines } from '../../visualizations/text-tree.ts';
import { door, player, pump } from './small-machines.ts';

const chartOf = (machine: unknown) => readChart(machine as AnyStateMachine);
const tree = (machine: unknown, columns = 100) => treeLines(chartOf(machine), { columns }).join('\n');

describe('a text tree', () => {
  it('shows entry, exit, descriptions, moves of the machine itself and final states', () => {
    expect(tree(door)).toBe(`○ door
│    DEMOLISH  → gone
├▸ ○ closed
│       OPEN  → open
│       LOCK  → locked  / turnKey, beep
├─ ○ open
│       entry / creak
│       exit  / click
│       CLOSE  → closed
├─ ○ locked — needs the key
│       KEY  [fits]  → closed
│            else    · stays   / beep
└─ ◎ gone`);
  });

  it('shows parallel regions, nesting, history, timers and what is started anew', () => {
    expect(tree(player)).toBe(`○ player
├▸ ○ off
│       POWER  → last
└─ ○ on ∥
   │    POWER    → off
   │    REBOOT   ↻ on
   │    done on  → off
   ├─ ○ sound
   │  ├▸ ○ loud
   │  │       MUTE  → mute
   │  └─ ○ mute
   │          MUTE  → loud
   ├─ ○ picture
   │  ├▸ ○ still
   │  │       after 1000  → moving
   │  └─ ○ moving
   │          STOP   → still
   │          SPEED  · stays  / faster
   └─ H last deep`);
  });

  it('shows moves without an event, conditions without a name, combined guards, work and its errors', () => {
    expect(tree(pump)).toBe(`○ pump
├▸ ○ idle
│       GO       [not force or type = GO]     → running
│       at once  [level ≥ 10 and level ≠ 11]  → running
│                [safe and not empty]         · stays    / ⚙ valve
├─ ○ running ⚙ motor as main ⚙ sensor
│       entry / log started
│       GO          ↻ running
│       HALT        · stays    / sendTo main
│       done main   → idle
│       error main  → broken   / raise
└─ ◎ broken`);
  });

  it('wraps conditions and actions where the terminal is narrow', () => {
    const lines = tree(pump, 44).split('\n');
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(44);
    expect(lines.slice(1, 9).join('\n')).toBe(`├▸ ○ idle
│       GO       [not force or type = GO]
│         → running
│       at once  [level ≥ 10 and level ≠ 11]
│         → running
│                [safe and not empty]
│         · stays  / ⚙ valve
├─ ○ running ⚙ motor as main ⚙ sensor`);
  });

  it('lights the states a run is in, in every region', () => {
    const lit = light(chartOf(player), { on: { sound: 'mute', picture: 'still' } });
    const marked = treeLines(lit, { columns: 100 }).filter(line => line.includes('●'));
    expect(marked.map(line => line.replace(/[^\w●∥ ]/g, '').trim())).toEqual([
      '● player',
      '● on ∥',
      '● sound',
      '● mute',
      '● picture',
      '● still',
    ]);
    expect(positionOf(lit)).toBe('on › sound › mute ∥ picture › still');
  });

  it('of the lit path leaves out all else but the exits', () => {
    const lit = light(chartOf(player), { on: { sound: 'mute', picture: 'moving' } });
    expect(treeLines(litPath(lit, { exits: false }), { columns: 100 }).join('\n')).toBe(`● player
└─ ● on ∥
   │    POWER    → off
   │    REBOOT   ↻ on
   │    done on  → off
   ├─ ● sound
   │  └─ ● mute
   │          MUTE  → loud
   └─ ● picture
      └─ ● moving
              STOP  → still`);
  });

  it('is followed by the shortest way to each end, and by the marks that occur', () => {
    expect(endingLines(chartOf(door), { columns: 100 }).slice(1)).toEqual([
      '  ◎ gone  DEMOLISH, at any time',
    ]);
    expect(endingLines(chartOf(pump), { columns: 100 }).slice(1)).toEqual([
      '  ◎ broken  idle → running → broken',
    ]);
    expect(endingLines(chartOf(player), { columns: 100 })).toEqual([]);
    expect(legend([chartOf(door)], { columns: 100 })).toBe('▸ starts here   ◎ end   [if]   / does');
    expect(legend([light(chartOf(player), 'off')], { columns: 100 })).toContain('● here now');
  });
});

describe('Mermaid', () => {
  it('separates regions and keeps arrows between blocks outside of them', () => {
    expect(
      mermaid([
        { title: 'player', chart: light(chartOf(player), { on: { sound: 'mute', picture: 'still' } }) },
      ]),
    ).toBe(`stateDiagram-v2
  state "off" as player_off
  state "on" as player_on {
    state "all of on" as player_on_any
    state "H* last" as player_on_last
    --
    state "sound" as player_on_sound {
      state "loud" as player_on_sound_loud
      state "mute" as player_on_sound_mute
      [*] --> player_on_sound_loud
      player_on_sound_loud --> player_on_sound_mute : MUTE
      player_on_sound_mute --> player_on_sound_loud : MUTE
    }
    --
    state "picture" as player_on_picture {
      state "still" as player_on_picture_still
      state "moving" as player_on_picture_moving
      player_on_picture_moving : SPEED / faster
      [*] --> player_on_picture_still
      player_on_picture_still --> player_on_picture_moving : after 1000
      player_on_picture_moving --> player_on_picture_still : STOP
    }
  }
  [*] --> player_off
  player_off --> player_on_last : POWER
  player_on --> player_off : POWER
  player_on_any --> player_on_any : REBOOT
  player_on --> player_off : done on
  classDef here fill:#1f7a3f,color:#ffffff,stroke:#0d4f26
  class player_on_sound_mute here
  class player_on_picture_still here
`);
  });

  it('has no letter in a label that means something to Mermaid or HTML', () => {
    const strange = { ...chartOf(door), name: 'a"b', entry: ['x<y>; #1: {z} %%'] };
    const [line] = mermaid([{ title: '', chart: strange }])
      .split('\n')
      .filter(text => text.includes('entry'));
    expect(line).toBe('  door_any : entry / x＜y＞, ＃1∶ ❴z❵ ％％');
  });

  it('tells the same machine in two actors apart', () => {
    const text = mermaid([
      { title: 's:one@1 (door)', chart: light(chartOf(door), 'open') },
      { title: 's:two@2 (door)', chart: light(chartOf(door), 'closed') },
    ]);
    expect(text).toContain('state "s∶one@1 (door)" as a0_door {');
    expect(text.match(/class \w+ here/g)).toEqual(['class a0_door_open here', 'class a1_door_closed here']);
  });
});

describe('DOT', () => {
  const text = dot([
    { title: 'player', chart: light(chartOf(player), { on: { sound: 'mute', picture: 'still' } }) },
  ]);

  it('frames states that hold others, cuts arrows at the frames, and dashes regions', () => {
    expect(text).toContain('subgraph "cluster player.on" {');
    expect(text).toMatch(/subgraph "cluster player\.on\.sound" \{\n.*\n.*style="rounded,dashed"/);
    expect(text).toMatch(/"player\.on\.any" -> "player\.off" \[label=" POWER ".*ltail="cluster player\.on"/);
    expect(text).toMatch(/"player\.on\.any" -> "player\.on\.sound\.loud" \[label=" REBOOT "/);
  });

  it('gives every state an id and a class that a page can light', () => {
    expect(text).toContain('"player.on.sound.mute" [id="player.on.sound.mute", class="state atomic active"');
    expect(text).toContain('"player.off" [id="player.off", class="state atomic"');
    expect(text).toContain('id="player.on"; class="frame parallel active"');
  });

  it('escapes what HTML labels and quoted names may not hold', () => {
    const strange = { ...chartOf(door), id: 'a"b', entry: ['x < y & z'] };
    const escaped = dot([{ title: 'a"b', chart: strange }]);
    expect(escaped).toContain('entry / x &lt; y &amp; z');
    expect(escaped).toContain('subgraph "cluster a\\"b"');
  });
});
