/** What the git tool may do: each verb with the options that it takes. Nothing here reaches a network or runs a program. */

interface Verb {
  readonly writes: boolean
  /** `--x=` takes a value, `-x#` a number or range right after the letter. */
  readonly options: readonly string[]
  /** Always given. */
  readonly fixed?: readonly string[]
  readonly needsMessage?: boolean
  /** The first argument that is no option must be one of these. */
  readonly words?: readonly string[]
}

const plainDiff = ['--no-ext-diff', '--no-textconv']
const diffOptions = ['--stat', '--name-only', '--name-status', '-w', '--unified=', '-U#']
const sequence = ['--abort', '--continue', '--skip']

const verbs = {
  status: { writes: false, options: ['--short', '-s', '--branch', '-b', '--ignored', '--porcelain'] },
  diff: { writes: false, fixed: plainDiff, options: ['--staged', '--cached', ...diffOptions] },
  log: {
    writes: false,
    fixed: [...plainDiff, '--max-count=30'],
    options: [
      ...[
        '--oneline',
        '-p',
        '--patch',
        '--graph',
        '--all',
        '--follow',
        '--reverse',
        '-n#',
        '-#',
        '--max-count=',
        ...diffOptions,
      ],
      ...['--author=', '--grep=', '--since=', '--until='],
    ],
  },
  show: { writes: false, fixed: plainDiff, options: ['--oneline', '-p', '--patch', ...diffOptions] },
  blame: { writes: false, options: ['-L#', '-w'] },
  add: { writes: true, options: ['-A', '--all', '-u', '--update'] },
  commit: {
    writes: true,
    needsMessage: true,
    fixed: ['--trailer', 'Assisted-by: Cachalot'],
    options: ['-a', '--all', '--amend', '--no-edit', '--allow-empty'],
  },
  switch: { writes: true, options: ['-c', '--create', '--detach', '-'] },
  branch: {
    writes: true,
    options: ['--list', '-a', '--all', '-r', '-v', '--show-current', '-d', '--delete', '-m', '--move'],
  },
  stash: {
    writes: true,
    words: ['push', 'pop', 'apply', 'list', 'show', 'drop'],
    options: ['-u', '--include-untracked', '-p', '--stat'],
  },
  merge: { writes: true, fixed: ['--no-edit'], options: ['--no-ff', '--ff-only', '--squash', '--abort', '--continue'] },
  rebase: { writes: true, options: sequence },
  restore: { writes: true, options: ['--staged', '-S', '--worktree', '-W', '--source='] },
  tag: { writes: true, options: ['-l', '--list', '-d', '--delete', '-a'] },
} satisfies Readonly<Record<string, Verb>>

export type GitVerb = keyof typeof verbs

export const gitVerbs: Readonly<Record<GitVerb, Verb>> = verbs
