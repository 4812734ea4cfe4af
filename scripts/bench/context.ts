/** What it costs to have a repository in the context: read, loaded, changed, packed. By the built program. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { forget, rawReadSeconds } from './disk.ts'
import { pairedRatio, spread } from './numbers.ts'
import { runNode } from './start.ts'

const launcher = join(import.meta.dirname, '../../bin/cachalot.js')
const filesToPack = 10_000
const stateRounds = 5
/** Characters of such code for about a token. */
const charactersPerToken = 2.4

interface Usage {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly evaluatedTokens: number
  readonly prefillSeconds: number
}

/**
 * `tokens`: about how large the repository is to be; `dialect` for a file that does not tell how it is spoken to. Without a model
 * file only packing is measured.
 */
export async function benchContext(model: string, tokens: number, dialect?: string): Promise<string[]> {
  const place = mkdtempSync(join(tmpdir(), 'cachalot-bench-context-'))
  const env = { PATH: process.env['PATH'] ?? '', HOME: place, CACHALOT_HOME: join(place, 'own') }
  try {
    const rows = model === '' ? [] : lives({ file: model, tokens, dialect }, place, env)
    const more = dialect === undefined ? [await packing(join(place, 'many'), env)] : []
    return ['| what | measured | ratio | aim |', '|---|---|---|---|', ...rows, ...more]
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Every line is a process of its own, as a user's is. */
function lives(
  { file, tokens, dialect }: { readonly file: string; readonly tokens: number; readonly dialect: string | undefined },
  place: string,
  env: Record<string, string>,
): string[] {
  const root = join(place, 'repository')
  const paths = makeTree(root, Math.ceil((tokens * charactersPerToken) / 1500), 1500)
  const flags = ['--json', '--cwd', root, '--model', file, '--context', String(Math.max(32_768, tokens * 2))]
  if (dialect !== undefined) flags.push('--dialect', dialect)
  const usageOf = (...words: string[]): Usage => {
    const args = [launcher, ...words, ...flags, '--repository', 'always', '--context-budget', String(tokens * 2)]
    let output: string
    try {
      output = execFileSync(process.execPath, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    } catch (error) {
      output = String((error as { stdout?: unknown }).stdout) // the limit of tokens is an exit code, too
    }
    const last = output.trim().split('\n').at(-1) ?? ''
    return (JSON.parse(last) as { usage: Usage }).usage
  }
  const ask = (): Usage => usageOf('run', 'Say hello', '--max-tokens', '2', '--max-steps', '1')
  const cold = usageOf('warm')
  const warm = usageOf('warm')
  const rows = [
    `| cold: ${cold.evaluatedTokens} tokens read | ${cold.prefillSeconds.toFixed(1)} s | | |`,
    `| warm: ${warm.cachedTokens} tokens loaded, ${warm.evaluatedTokens} read | ${warm.prefillSeconds.toFixed(3)} s | ${Math.round(cold.prefillSeconds / warm.prefillSeconds)} × faster than cold | ≥ 300 × |`,
    stateSpeed(join(place, 'own', 'cache', 'kv'), () => usageOf('warm').prefillSeconds),
  ]
  const plain = ask()
  for (const [where, path] of [
    ['in the middle', paths[Math.floor(paths.length / 2)]],
    ['at the end', paths.at(-1)],
  ] as const) {
    if (path === undefined) continue
    const text = readFileSync(join(root, path), 'utf8')
    writeFileSync(join(root, path), text.replace('value3 ', 'changed '))
    const { evaluatedTokens } = ask()
    writeFileSync(join(root, path), text)
    const more = evaluatedTokens - plain.evaluatedTokens
    // As the model counts: all that was read, over all the characters of it.
    const own = Math.round((text.length * cold.evaluatedTokens) / (paths.length * text.length))
    rows.push(
      `| one file of ~${own} tokens changed ${where} | ${more} tokens read more than with no change (${plain.evaluatedTokens}) | ${(more / own).toFixed(2)} of its own | ≤ 1.10 |`,
    )
  }
  return rows
}

/**
 * The longest reading: its bytes a second by a warm start from the disk, beside a plain read of the file from there. In turns:
 * the disk is not alone.
 */
function stateSpeed(folder: string, warmSeconds: () => number): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.kv'))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).size - statSync(a).size)
  const longest = files[0]
  if (longest === undefined) return '| state | none | | |'
  const mb = statSync(longest).size / 1e6
  const ours: number[] = []
  const plain: number[] = []
  for (let round = 0; round < stateRounds; round++) {
    plain.push(mb / rawReadSeconds(longest))
    forget(longest)
    ours.push(mb / warmSeconds())
  }
  const percent = (100 * pairedRatio(ours, plain)).toFixed(0)
  return `| state of ${mb.toFixed(0)} MB, from the disk, checked and taken | ${spread(ours, 'MB/s', 0)}; plain read ${spread(plain, 'MB/s', 0)} | ${percent} % | ${mb < 100 ? '(too small to tell)' : '≥ 80 % of raw disk read'} |`
}

/** Packs many files with a model that costs nothing. */
async function packing(root: string, env: Record<string, string>): Promise<string> {
  makeTree(root, filesToPack, 2400)
  const script = join(root, '..', 'script.json')
  writeFileSync(script, JSON.stringify({ replies: [], contextTokens: 131_072 }))
  const words = [launcher, 'context', '--json', '--cwd', root, '--model', `scripted:${script}`]
  const bare = await runNode([launcher, 'config'], env, true)
  const { ms, peakMb } = await runNode(words, env, true)
  return `| packing ${filesToPack} files | ${((ms - bare.ms) / 1000).toFixed(2)} s, ${peakMb.toFixed(0)} MB at most (without any: ${bare.peakMb.toFixed(0)} MB) | | ≤ 3 s, ≤ 250 MB |`
}

/** Writes files of code in a repository; gives their paths. */
function makeTree(root: string, files: number, characters: number): string[] {
  const paths = Array.from(
    { length: files },
    (_, i) => `src/part${Math.floor(i / 100)}/file${String(i).padStart(5, '0')}.ts`,
  )
  for (const [i, path] of paths.entries()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    let text = ''
    for (let n = 0; text.length < characters; n++)
      text += `export const value${n} = compute(${(i * 31 + n * 7) % 1000}, 'name ${i} ${n}')\n`
    writeFileSync(join(root, path), text)
  }
  const git = (...words: string[]): void => {
    const who = ['-c', 'user.name=b', '-c', 'user.email=b@example.org']
    execFileSync('git', [...who, ...words], { cwd: root, stdio: 'pipe', maxBuffer: 64e6 })
  }
  git('init', '-q')
  git('add', '-A')
  git('commit', '-qm', 'start')
  return paths
}
