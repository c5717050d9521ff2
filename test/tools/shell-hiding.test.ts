// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the shell's
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gate } from '../../machines/approval.ts';
import { classify } from '../../tools/shell/classify.ts';
import { fill, tempFolder } from './support.ts';

/** Ways to say it. */
const REMOVALS = String.raw`
rm -rf src|rm -r src|rm -rf ./src/*|'rm' -rf src|r\m -rf src|"rm" "-rf" src|r''m -r -f src|$'rm' -rf src|$'\x72m' -rf src
\rm -rf src|rm -rf $PWD/src|rm -rf {src,b}|command rm -rf src|rm *|rm $(echo a.txt)|$(echo rm) -rf src|env rm -rf src
X=1 rm -rf src|>/dev/null rm -rf src|2>&1 rm -rf src|<a.txt rm -rf src|rm 2>/dev/null -rf src|rm <a.txt -rf src
find . -name a.txt -exec rm {} +|xargs rm -rf <<< src|eval rm -rf src|eval 'r''m' '-rf' src|sh -c 'rm -rf src'
sh <<< "$(cat a.txt)"|eval "$(cat a.txt)"|$(cat a.txt)|f=rm; $f -rf src|f=(rm -rf src); ${'$'}{f[@]}|set -- rm -rf src; "$@"
awk 'BEGIN{system("rm -rf src")}'|sed 's/.*/rm -rf src/e' a.txt|perl -e 'system "rm","-rf","src"'|time rm -rf src
! rm -rf src|timeout 1 rm -rf src|exec rm -rf src|trap 'rm -rf src' EXIT|g() ( rm -rf src ); g|! { rm -rf src; }
git -c alias.x='!rm -rf src' x|mapfile -c 1 -C "rm -rf src" < a.txt|shopt -s expand_aliases; alias q='rm -rf src'`
  .split(/[|\n]/)
  .filter(Boolean);

/** Places to say it in; `@` stands for the command, `'@'` and `"@"` for it between quotes. */
const PLACES = String.raw`
ls; @¦true && @¦false || @¦( @ )¦{ @; }¦{ @¬}¦echo $( @ )¦echo "$( @ )"¦if true; then @; fi¦if @; then :; fi¦while @; break; do :; done
for i in 1; do @; done¦for ((i=0;i<1;i++)); do @; done¦case x in y) ;; *) @ ;; esac¦case a in (a) @;& b) :;; esac¦cat <( @ )
echo x > >( @; cat >/dev/null )¦x=$( @ )¦export x=$( @ )¦echo "${'$'}{Y:-$( @ )}"¦echo ${'$'}{#Y} ${'$'}{Y#$( @ )}¦echo $(( 1 + $( @; echo 1 ) ))
[[ -z $( @ ) ]]¦[ -z "$( @ )" ]¦cat <<EOF¬$( @ )¬EOF¦cat <<-EOF¬⇥$( @ )¬⇥EOF¦cat <<A <<B¬x¬A¬$( @ )¬B¦cat <<'EOF'¬hello¬EOF¬@
cat <<EOF; @¬hello¬EOF¦cat <<EOF && @¬hello¬EOF¦cat <<\EOF¬hi $( ls )¬EOF¬@¦arr=( $( @ ) )¦f() { @; }; f¦f() { @¬}¬f¦ls # x¬@¦ls #'¬@
ls¬@¦echo a\¬ b; @¦# comment "¬@¦echo "a # b"; @¦@ &¬wait¦@ | cat¦ls | @¦ls |& @¦time ( @ )¦bash -c '@'¦eval '@'¦sh -c "@"¦bash <<'EOF'¬@¬EOF
echo "\""; @; echo "\""¦echo '\'; @¦echo $'\''; @¦echo "'"; @; echo "'"¦echo \'; @; echo \'¦[[ a =~ (b|c) ]]; @¦echo {a,b}; @
echo ${'$'}{x%%\"*}; @¦: ${'$'}{x:="'"}; @¦  @¦cat > out.txt <<EOF¬$( @ )¬EOF¦ls && { @; } 2>/dev/null¦exec 3>&1; @¦cd src && cd - && @`
  .split(/[¦\n]/)
  .filter(Boolean)
  .map(place => place.replaceAll('¬', '\n').replaceAll('⇥', '\t'));

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function put(place: string, command: string): string {
  const inner = place.includes("'@'")
    ? command.replaceAll("'", `'\\''`)
    : place.includes('"@"')
      ? command.replace(/[\\"`$]/g, '\\$&')
      : command;
  return place.split('@').join(inner);
}

function* commands(seed: number, count: number): Generator<string> {
  const next = random(seed);
  const pick = <T>(from: T[]): T => from[Math.floor(next() * from.length)]!;
  for (let i = 0; i < count; i++) {
    let command = pick(REMOVALS);
    for (let depth = 0; depth < 3 && next() < 0.65; depth++) command = put(pick(PLACES), command);
    yield command;
  }
}

/** A folder in which `rm` only leaves a mark, run by a real shell: what it calls is what the command means. */
async function shell() {
  const root = await tempFolder();
  const mark = join(root, 'bin/called');
  await fill(root, { 'ws/src/a.ts': 'x', 'ws/a.txt': 'rm -rf src\n' });
  await fill(root, { 'bin/rm': `#!/bin/sh\necho x > ${mark}\n` });
  spawnSync('chmod', ['+x', join(root, 'bin/rm')]);
  return {
    workspace: join(root, 'ws'),
    async removes(command: string): Promise<boolean> {
      await rm(mark, { force: true });
      await writeFile(join(root, 'ws/a.txt'), 'rm -rf src\n');
      spawnSync('timeout', ['3', 'bash', '-c', command], {
        cwd: join(root, 'ws'),
        env: { ...process.env, PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH']}` },
        stdio: 'ignore',
      });
      return existsSync(mark);
    },
  };
}

describe('what a real shell would remove', () => {
  it('is seen by this test', async () => {
    const { removes } = await shell();
    let called = 0;
    for (const command of commands(1, 15)) if (await removes(command)) called++;
    expect(called).toBeGreaterThanOrEqual(10);
    expect(await removes('ls #\n\\rm -rf src')).toBe(true);
    expect(await removes('rm 2>/dev/null -rf src')).toBe(true);
    expect(await removes('echo rm -rf src')).toBe(false);
  });

  it('is never unasked, wherever it hides', async () => {
    const { workspace, removes } = await shell();
    const count = process.env['LOOM_DEEP'] === '1' ? 30_000 : 1_500;
    const unasked: string[] = [];
    let judged = 0;
    for (const command of commands(Number(process.env['LOOM_SEED'] ?? 7), count)) {
      judged++;
      const { risks, network } = await classify(command, workspace);
      const call = { tool: 'shell_execute', risks, subject: command, shell_network: network };
      const { decision } = gate({ mode: 'auto', allow: [], deny: [] }, call);
      if (decision === 'run' && (await removes(command))) unasked.push(command);
    }
    expect(judged).toBe(count);
    expect(unasked).toEqual([]);
  });
});
