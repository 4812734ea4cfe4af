/**
 * `npm run fuzz`: 10⁶ mutated replies through every parser, and 10⁵ hostile messages through every dialect and the
 * tokenisers of the synthetic models (and of CACHALOT_REAL_MODEL). `npm run fuzz -- --cases 20000 --seed 7` for less.
 * Ends with 1 when there was a problem; each is told with the seed that makes it again.
 */
import { parseArgs } from 'node:util'
import { openEngine, readGgufHeader } from '../engine/index.ts'
import { fuzzParsers } from '../test/fuzz/parsers.ts'
import { specialTokens } from '../test/fuzz/special-tokens.ts'
import { fuzzUntrusted } from '../test/fuzz/untrusted.ts'
import { makeModel } from '../test/models/index.ts'

const { values } = parseArgs({ options: { cases: { type: 'string' }, seed: { type: 'string' } } })
const cases = Number(values.cases ?? 1_000_000)
const seed = Number(values.seed ?? 1)

let problems: readonly string[] = []
const step = 50_000
for (let from = 0; from < cases && problems.length === 0; from += step) {
  const count = Math.min(step, cases - from)
  const report = fuzzParsers(count, seed + from)
  problems = report.problems
  const { accepted, refused, slowest } = report
  process.stdout.write(
    `parsers: ${from + count} of ${cases} replies; calls taken ${accepted}, refused ${refused}; slowest ${slowest.toFixed(1)} ms\n`,
  )
}

const real = process.env['CACHALOT_REAL_MODEL']
const files = [makeModel('tiny-moe').file, makeModel('tiny-ds4').file, ...(real === undefined ? [] : [real])]
for (const file of files) {
  const engine = await openEngine({ file, contextTokens: 512, threads: 1 })
  const special = specialTokens(await readGgufHeader(file, { keepArrays: 1_000_000 }))
  const share = Math.ceil(cases / 10 / files.length)
  const report = await fuzzUntrusted(engine, special, share, seed)
  await engine.close()
  problems = [...problems, ...report.problems]
  process.stdout.write(`untrusted text: ${share} messages, ${special.size} special tokens, ${file}\n`)
}

for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
