/** `npm run eval -- --red`: the red repositories, each given to `cachalot fix` with a real model. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { baseFolder, checks, type Mutation, mutations, writeBroken } from '../../test/e2e/red.ts'

interface RedOutcome {
  readonly name: string
  readonly base: string
  readonly exit: string
  readonly rounds: number
  readonly seconds: number
  readonly refused: readonly string[]
  /** Whether the broken file is what it was before it was broken, byte for byte. */
  readonly exact: boolean
}

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'cachalot.js')

interface RedRequest {
  readonly model: string
  /** The first so many of those that are meant. */
  readonly limit: number
  readonly isMeant: (name: string) => boolean
  /** Further flags of `fix`. */
  readonly words: readonly string[]
}

/** Lines of a Markdown report. */
export async function evalRed({ model, limit, isMeant, words }: RedRequest): Promise<string[]> {
  const outcomes: RedOutcome[] = []
  const wanted = mutations.filter(({ name }) => isMeant(name)).slice(0, limit)
  for (const mutation of wanted) {
    const outcome = await attempt(mutation, model, words)
    outcomes.push(outcome)
    process.stderr.write(
      `${outcomes.length}/${wanted.length} ${outcome.name}: ${outcome.exit} in ${outcome.seconds.toFixed(1)} s\n`,
    )
  }
  const fixed = outcomes.filter(({ exit }) => exit === 'fixed')
  return [
    '| broken | in | outcome | as it was | rounds | seconds | refused |',
    '|---|---|---|---|---|---|---|',
    ...outcomes.map(
      ({ name, base, exit, rounds, seconds, refused, exact }) =>
        `| ${name} | ${base} | ${exit} | ${exact ? 'yes' : 'no'} | ${rounds} | ${seconds.toFixed(1)} | ${refused.join(', ')} |`,
    ),
    '',
    `${fixed.length} of ${outcomes.length} fixed, ${fixed.filter(({ exact }) => exact).length} of them to what was there before; ${outcomes.filter(({ refused }) => refused.length > 0).length} with something refused.`,
  ]
}

async function attempt(mutation: Mutation, model: string, words: readonly string[]): Promise<RedOutcome> {
  const home = mkdtempSync(join(tmpdir(), 'cachalot-red-'))
  const repo = join(home, 'repo')
  const git = (...given: string[]): void => {
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...given], { cwd: repo, stdio: 'pipe' })
  }
  try {
    writeBroken(repo, mutation.base, mutation)
    writeFileSync(join(repo, '.gitignore'), 'node_modules\n')
    git('init', '-q')
    git('add', '-A')
    git('commit', '-qm', 'red')
    const allow = mutation.allow === undefined ? [] : ['--allow', mutation.allow]
    const { stdout } = await execa(
      process.execPath,
      [launcher, 'fix', '--check', checks[mutation.base], '--json', '--model', model, ...allow, ...words],
      { cwd: repo, reject: false, stdin: 'ignore', timeout: 1_800_000 },
    )
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as {
      exit: string
      rounds: number
      seconds: number
      refused: { kind: string }[]
    }
    const { name, base, path } = mutation
    const exact = readFileSync(join(repo, path), 'utf8') === readFileSync(join(baseFolder(base), path), 'utf8')
    const { exit, rounds, seconds, refused } = result
    return { name, base, exact, exit, rounds, seconds, refused: refused.map(({ kind }) => kind) }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
