/** The options that git_command passes on, per sub-command. An option that is not listed is refused: git accepts any
 * beginning of a long name, and several of its options start programs or write anywhere. `--no-NAME` goes with NAME.
 */

/** Long names, then one group of letters with a dash in front: the short ones. */
const DIFF = `abbrev anchored binary break-rewrites check color color-moved color-moved-ws color-words compact-summary
  cumulative diff-algorithm diff-filter dirstat dst-prefix exit-code find-copies find-copies-harder find-object
  find-renames full-index function-context histogram ignore-all-space ignore-blank-lines ignore-cr-at-eol
  ignore-matching-lines ignore-space-at-eol ignore-space-change ignore-submodules indent-heuristic inter-hunk-context
  irreversible-delete minimal name-only name-status numstat patch patch-with-raw patch-with-stat patience pickaxe-all
  pickaxe-regex quiet raw relative rename-empty shortstat src-prefix stat stat-count stat-name-width stat-width
  submodule summary text unified word-diff word-diff-regex ws-error-highlight renames prefix merge-base
  cached staged -pusUwWbaRGSBCMDlOz0123456789`;
const HISTORY = `all all-match author author-date-order after ancestry-path basic-regexp before bisect boundary branches
  cc cherry cherry-mark cherry-pick committer count date date-order decorate decorate-refs decorate-refs-exclude dense
  diff-merges encoding exclude extended-regexp first-parent fixed-strings follow format full-history glob graph grep
  grep-reflog ignore-missing invert-grep left-only left-right log-size mailmap max-count max-parents merge merges
  min-parents notes oneline parents children perl-regexp pretty reflog regexp-ignore-case remotes remove-empty reverse
  right-only show-linear-break show-notes show-pulls show-signature simplify-by-decoration simplify-merges since
  since-as-filter skip source sparse summary tags topo-order until use-mailmap walk-reflogs abbrev-commit
  relative-date clear-decorations combined-all-paths remerge-diff shortstat objects -nLciEFPgmtr`;
const MESSAGE = `message file cleanup -mF`;
const CONFLICT = `abort continue skip quit strategy strategy-option rerere-autoupdate signoff edit commit mainline -sXnmex`;

const FLAGS: Record<string, string> = {
  status: `ahead-behind branch column find-renames ignore-submodules ignored long null porcelain renames short show-stash
    untracked-files verbose -sbvuz`,
  diff: `${DIFF} base ours theirs`,
  log: `${HISTORY} ${DIFF}`,
  show: `${HISTORY} ${DIFF}`,
  whatchanged: `${HISTORY} ${DIFF}`,
  'rev-list': `${HISTORY} ${DIFF}`,
  'diff-tree': `${DIFF} root pretty format no-commit-id -rtmcv`,
  'diff-index': `${DIFF} -m`,
  reflog: `${HISTORY} ${DIFF} expire expire-unreachable updateref rewrite stale-fix`,
  blame: `abbrev color-by-age color-lines date ignore-rev incremental line-porcelain minimal porcelain progress root
    score-debug show-email show-name show-number show-stats reverse first-parent since until -LlftesnwCMbp0123456789`,
  'ls-files': `abbrev cached debug deduplicate deleted directory empty-directory eol error-unmatch exclude
    exclude-standard full-name ignored killed modified others recurse-submodules resolve-undo sparse stage unmerged
    with-tree format -cdmoiszukvtxf`,
  'ls-tree': 'abbrev format full-name full-tree long name-only name-status object-only -drltz',
  'ls-remote': 'exit-code get-url heads branches quiet refs sort symref tags -htq',
  'rev-parse': `abbrev abbrev-ref absolute-git-dir all branches default disambiguate flags git-common-dir git-dir
    git-path glob is-bare-repository is-inside-git-dir is-inside-work-tree is-shallow-repository local-env-vars prefix
    quiet remotes revs-only short show-cdup show-prefix show-superproject-working-tree show-toplevel since symbolic
    symbolic-full-name tags until verify exclude not path-format show-object-format -q`,
  describe:
    'abbrev all always broken candidates contains debug dirty exact-match exclude first-parent long match tags',
  shortlog: `${HISTORY} email group numbered -snecw`,
  'cat-file': `batch-all-objects path use-mailmap mailmap -tpse`,
  'show-ref': 'abbrev dereference hash head heads branches quiet tags verify exists -qsd',
  'for-each-ref':
    'color contains count exclude format ignore-case merged no-contains no-merged points-at sort',
  'merge-base': 'all fork-point independent is-ancestor octopus -a',
  'name-rev': 'all always exclude name-only refs tags undefined',
  grep: `after-context all-match and basic-regexp before-context break cached color column context count exclude-standard
    extended-regexp files-with-matches files-without-match fixed-strings full-name function-context heading ignore-case
    invert-match line-number max-count max-depth name-only not null only-matching or perl-regexp quiet
    recurse-submodules recursive show-function text threads untracked word-regexp -ABCEFGHILPWacehilmnopqrvwz0123456789`,
  'count-objects': 'human-readable verbose -vH',
  'check-ignore': 'index non-matching quiet verbose -vqn',
  var: '-l',
  version: 'build-options',
  cherry: 'abbrev verbose -v',
  add: `all chmod dry-run force ignore-errors ignore-missing ignore-removal intent-to-add refresh renormalize sparse
    update verbose -AnfNuv`,
  commit: `${MESSAGE} all allow-empty allow-empty-message amend author branch date dry-run edit fixup include long null
    only porcelain quiet reedit-message reset-author reuse-message short signoff squash status trailer untracked-files
    verbose verify -acCoeqsuvnzi`,
  reset: 'hard intent-to-add keep merge mixed quiet recurse-submodules refresh soft -qN',
  branch: `abbrev all color column contains copy create-reflog delete force format ignore-case list merged move no-contains
    no-merged points-at quiet recurse-submodules remotes set-upstream-to show-current sort track unset-upstream verbose
    -advDmMcCflrqtu`,
  checkout: `conflict detach force guess ignore-other-worktrees merge orphan ours overlay progress quiet
    recurse-submodules theirs track -bBdflmqtl`,
  switch: `conflict create detach discard-changes force force-create guess ignore-other-worktrees merge orphan progress
    quiet recurse-submodules track -cCdfmqt`,
  merge: `${MESSAGE} ${CONFLICT} allow-unrelated-histories autostash ff ff-only into-name log progress quiet squash stat
    summary verbose verify -qv`,
  rebase: `${CONFLICT} allow-empty-message apply autosquash autostash committer-date-is-author-date empty ff fork-point
    force-rebase ignore-date ignore-whitespace keep-base keep-empty merge onto quiet reapply-cherry-picks rebase-merges
    root show-current-patch stat update-refs verbose verify whitespace reset-author-date -fqv`,
  stash: `${DIFF} all include-untracked index keep-index message only-untracked quiet staged -akumqSp`,
  tag: `${MESSAGE} annotate color column contains create-reflog delete force format ignore-case list merged no-contains
    no-merged points-at sort -adfiln0123456789`,
  fetch: `all append atomic deepen depth dry-run filter force ipv4 ipv6 jobs keep multiple progress prune prune-tags quiet
    recurse-submodules set-upstream shallow-exclude shallow-since show-forced-updates tags unshallow update-shallow
    verbose -apPfjqtnvm46`,
  pull: `${MESSAGE} ${CONFLICT} all allow-unrelated-histories append autostash deepen depth dry-run ff ff-only force ipv4
    ipv6 jobs keep log progress prune quiet rebase recurse-submodules set-upstream shallow-since squash stat summary tags
    unshallow verbose verify -rfqvtapj46`,
  push: `all atomic branches delete dry-run follow-tags force force-if-includes force-with-lease ipv4 ipv6 mirror porcelain
    progress prune push-option quiet set-upstream tags thin verbose verify -dfnoquv46`,
  remote: `add all delete fetch mirror prune push tags verbose -vftm`,
  init: 'bare initial-branch object-format quiet shared -bq',
  clone: `bare branch depth dissociate filter hardlinks ipv4 ipv6 jobs local mirror checkout origin progress quiet
    recurse-submodules reject-shallow remote-submodules shallow-exclude shallow-since shallow-submodules single-branch
    sparse tags verbose -bjlnoqv46`,
  restore: `conflict ignore-unmerged merge ours overlay progress quiet recurse-submodules source staged theirs worktree
    -sSWmq23`,
  rm: 'cached dry-run force ignore-unmatch quiet sparse -fnrq',
  mv: 'dry-run force sparse verbose -fknv',
  'cherry-pick': `${CONFLICT} allow-empty allow-empty-message cleanup ff keep-redundant-commits -x`,
  revert: `${CONFLICT} cleanup reference`,
  worktree:
    'checkout detach dry-run expire force guess-remote lock orphan porcelain quiet reason track verbose -bBdfqvnz',
  apply: `3way allow-empty binary cached check directory exclude ignore-space-change ignore-whitespace inaccurate-eof
    include index intent-to-add numstat quiet recount reject reverse stat summary unidiff-zero verbose whitespace
    allow-overlap -3RCpvqzN`,
  am: `${CONFLICT} 3way committer-date-is-author-date directory empty exclude ignore-date ignore-space-change
    ignore-whitespace include keep keep-cr keep-non-patch message-id patch-format quiet quoted-cr reject resolved retry
    scissors show-current-patch utf8 whitespace allow-empty -3bkmqsupCr`,
  config: `add all bool bool-or-int default fixed-value get get-all get-regexp int list local name-only null path
    replace-all show-origin show-scope type unset unset-all value regexp -lz`,
  clean: 'dry-run exclude force quiet -dfnqxXe',
  submodule: `branch cached checkout depth files force init jobs merge name progress quiet rebase recursive recommend-shallow
    remote single-branch summary-limit -bfqnj`,
  bisect: 'first-parent no-checkout term-bad term-good term-new term-old',
  notes: `${MESSAGE} allow-empty force ignore-missing ref reuse-message separator strategy quiet -fCsq`,
  gc: 'aggressive auto force prune quiet cruft keep-largest-pack',
};

interface Allowed {
  long: Set<string>;
  short: string;
}

const allowed = new Map<string, Allowed>();

function allowedFor(subcommand: string): Allowed {
  const known = allowed.get(subcommand);
  if (known) return known;
  const names = (FLAGS[subcommand] ?? '').split(/\s+/).filter(Boolean);
  const made = {
    long: new Set(names.filter(name => !name.startsWith('-'))),
    short: names
      .filter(name => name.startsWith('-'))
      .map(name => name.slice(1))
      .join(''),
  };
  allowed.set(subcommand, made);
  return made;
}

/** The first option that is not on the list, null when all are; the rest of a group such as `-am` may be a value. */
export function unknownFlag(subcommand: string, options: string[]): string | null {
  const { long, short } = allowedFor(subcommand);
  const fits = (option: string): boolean => {
    if (!option.startsWith('--')) return short.includes(option[1]!);
    const name = option.slice(2).split('=')[0]!;
    return long.has(name) || (name.startsWith('no-') && long.has(name.slice(3)));
  };
  return options.find(option => !fits(option)) ?? null;
}
