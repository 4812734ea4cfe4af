/** What it takes to pack and outline a repository of many files: time, and the memory of the whole process. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Packed {
  readonly seconds: number
  readonly processorSeconds: number
  readonly megabytes: number
  readonly whole: number
  readonly outlined: number
}

/** Rows of a table. `files`: how many the repository has. */
export async function benchPacking(files: number): Promise<string[]> {
  const place = mkdtempSync(join(tmpdir(), 'cachalot-packing-'))
  try {
    const bytes = makeRepository(place, files)
    const pack = (cache: string, budget: number): Packed => {
      const script = join(import.meta.dirname, 'pack-once.ts')
      const args = [script, join(place, 'repo'), join(place, cache), String(budget)]
      return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Packed
    }
    const rows = [
      `${files.toLocaleString('en')} files, ${(bytes / 1e6).toFixed(1)} MB of TypeScript, Python and Go in git. Aim: ≤ 3 s and ≤ 250 MB.`,
      '',
      '| context for the repository | whole | outlined | wall s | processor s | peak MB |',
      '|---|---|---|---|---|---|',
    ]
    for (const [name, budget, cache] of [
      ['512k tokens, nothing kept', 512_000, 'cold-512'],
      ['512k tokens, outlines kept', 512_000, 'cold-512'],
      ['64k tokens, nothing kept', 64_000, 'cold-64'],
      ['8k tokens (the map), nothing kept', 8000, 'cold-8'],
      ['8k tokens (the map), outlines kept', 8000, 'cold-8'],
    ] as const) {
      const { whole, outlined, seconds, processorSeconds, megabytes } = pack(cache, budget)
      rows.push(
        `| ${name} | ${whole} | ${outlined} | ${seconds.toFixed(2)} | ${processorSeconds.toFixed(2)} | ${megabytes.toFixed(0)} |`,
      )
    }
    return rows
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Sources that use each other, 1 to 9 kB each, the same every time. Gives the bytes. */
function makeRepository(place: string, files: number): number {
  const root = join(place, 'repo')
  let bytes = 0
  let state = 7
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state % below
  }
  for (let i = 0; i < files; i += 1) {
    const folder = join(root, `part${i % 40}`, `unit${i % 7}`)
    if (i < 280) mkdirSync(folder, { recursive: true })
    const [ending, write] = kinds[i % kinds.length]!
    const parts = Array.from({ length: 3 + random(20) }, (_, n) => write(`work${i}x${n}`, `work${random(files)}x0`, n))
    const text = parts.join('\n')
    bytes += text.length
    writeFileSync(join(folder, `file${i}.${ending}`), text)
  }
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@b', '-c', 'gc.auto=0', ...args], { cwd: root })
  git('init', '-q')
  git('add', '-A')
  git('commit', '-qm', 'all')
  return bytes
}

const kinds: readonly (readonly [string, (name: string, used: string, n: number) => string])[] = [
  [
    'ts',
    (name, used, n) =>
      `/** Does ${n} things with an order, and says how it went. */\nexport function ${name}(order: Order, limit = ${n}): number {\n  const rest = order.items.filter((item) => item.price > limit)\n  if (rest.length === 0) return ${used}(order, limit + 1)\n  return rest.reduce((sum, { price }) => sum + price, 0)\n}\n`,
  ],
  [
    'py',
    (name, used, n) =>
      `class ${name}(Base):\n    """Keeps ${n} orders."""\n\n    def total(self, limit=${n}):\n        rest = [item for item in self.items if item.price > limit]\n        return ${used}(rest) if rest else 0\n`,
  ],
  [
    'go',
    (name, used, n) =>
      `${n === 0 ? 'package unit\n\n' : ''}// ${name} adds up what is left.\nfunc ${name}(order *Order, limit int) (int, error) {\n\tsum := 0\n\tfor _, item := range order.Items {\n\t\tif item.Price > limit+${n} {\n\t\t\tsum += ${used}(item)\n\t\t}\n\t}\n\treturn sum, nil\n}\n`,
  ],
]
