/**
 * `npm run eval -- --tasks PATH [--model NAME] [--modes raw,ours,oracle] [--set NAME] [--match WORD,WORD…] [--limit N] [--out FOLDER] [--keep FOLDER]`
 * `npm run eval -- --red [--model NAME] [--match WORD,WORD…] [--limit N] [-- flags of fix]` gives the red repositories to `cachalot fix`.
 *
 * Modes: `raw` (asked once, plainly), `ours`, `one` (ours with `--tries 1`), `oracle` (the reference through our tools).
 * Solves the tasks and prints a table. Greedy. Resumable: outcomes are appended to a JSON-lines file as they come, and
 * what is there is not done again (`--fresh` forgets it; the forgotten run is what flips are counted against).
 * `--match` takes the tasks whose names hold one of these words.
 * `--keep FOLDER` keeps the files and events of each task in FOLDER/MODE/TASK, to see why one failed.
 */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Model } from '../engine/index.ts'
import { openSandbox } from '../sandbox/index.ts'
import { findJest } from './eval/jest.ts'
import { openRawModel } from './eval/model.ts'
import { oracleScript, ours, type Run, secondRequest } from './eval/ours.ts'
import { type Outcome, outcomeSchema } from './eval/outcome.ts'
import { check, makePlace } from './eval/place.ts'
import { raw, subject } from './eval/raw.ts'
import { evalRed } from './eval/red.ts'
import { report } from './eval/report.ts'
import { loadTasks, type Task } from './eval/tasks.ts'
import { usageOf } from './usage.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    tasks: { type: 'string', default: '../shared/evals/tasks' },
    model: { type: 'string', default: 'qwen2.5-coder-1.5b' },
    modes: { type: 'string', default: 'raw,ours,oracle' },
    set: { type: 'string' },
    match: { type: 'string', default: '' },
    limit: { type: 'string' },
    out: { type: 'string', default: 'eval-results' },
    keep: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    red: { type: 'boolean', default: false },
  },
})

/** Sets whose tasks are commonly given with a second try, in which the tests' output is shown. */
const twoTries = /^exercism-/

if (flags.help) {
  process.stdout.write(usageOf(import.meta.filename))
  process.exit(0)
}
const limit = flags.limit === undefined ? Number.POSITIVE_INFINITY : Number(flags.limit)
/** Of no words everything has one. */
const isMeant = (name: string): boolean => flags.match.split(',').some((word) => name.includes(word))
if (flags.red) {
  const rows = await evalRed({ model: flags.model, limit, isMeant, words: positionals })
  process.stdout.write(
    `Model ${flags.model}, ${new Date().toISOString().slice(0, 10)}, red repositories\n\n${rows.join('\n')}\n`,
  )
  process.exit(0)
}
const perSet = new Map<string, number>()
const tasks = loadTasks(resolve(flags.tasks)).filter(({ id, set }) => {
  if ((flags.set !== undefined && set !== flags.set) || !isMeant(id)) return false
  perSet.set(set, (perSet.get(set) ?? 0) + 1)
  return perSet.get(set)! <= limit
})

mkdirSync(flags.out, { recursive: true })
const file = join(flags.out, 'outcomes.jsonl')
const previous = join(flags.out, 'outcomes.before.jsonl')
const load = (path: string): Outcome[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => outcomeSchema.parse(JSON.parse(line)))
    : []
if (flags.fresh && existsSync(file)) renameSync(file, previous)
const done = load(file)

/** Why the task is not solved; undefined when it is. */
function failureOf(
  run: Run | undefined,
  answered: boolean,
  changed: boolean,
  verdict: { passed: boolean; ended: boolean },
): Outcome['failure'] {
  if (verdict.passed) return undefined
  if (!answered) return 'form'
  if (run?.exit === 'limit') return 'limit'
  if (run?.exit === 'model') return 'model'
  if (!changed) {
    if (run?.events.some((event) => event.type === 'malformed')) return 'form'
    return run?.events.some((event) => JSON.stringify(event).includes('"no-match"')) ? 'no-match' : 'no-change'
  }
  return verdict.ended ? 'wrong' : 'check'
}

/** The flags of a mode that goes through the whole program. */
function flagsOf(mode: string, task: Task, scratch: string): string[] {
  const model = mode === 'oracle' ? `scripted:${oracleScript(task, scratch)}` : flags.model
  return ['--model', model, ...(mode === 'one' ? ['--tries', '1'] : [])]
}

/** One outcome; of sets that are played in two tries (of raw, ours) also that of both, under the mode `<mode>, two tries`. */
async function attempt(task: Task, mode: string, model: () => Promise<Model>): Promise<Outcome[]> {
  const place = await makePlace(task)
  const scratch = mkdtempSync(join(tmpdir(), 'cachalot-eval-state-'))
  const kept = flags.keep === undefined ? undefined : join(resolve(flags.keep), mode, task.id.replaceAll('/', '-'))
  const began = performance.now()
  let checking = 0
  const judged = async (mode: string, runs: readonly Run[], answered: boolean, usage: Counted): Promise<Outcome> => {
    const seconds = (performance.now() - began - checking) / 1000
    const changed = place.changed()
    const from = performance.now()
    const verdict = await check(task, place, sandbox, jest)
    if (kept !== undefined) keep(join(kept, String(runs.length)), place.folder, runs.at(-1), verdict.output)
    checking += performance.now() - from
    return {
      ...{ mode, model: flags.model, task: task.id, set: task.set, solved: verdict.passed },
      ...{ failure: failureOf(runs.at(-1), answered, changed, verdict), seconds },
      promptTokens: usage.promptTokens,
      generatedTokens: usage.generatedTokens,
      requests: runs.length === 0 ? 1 : runs.reduce((sum, { steps }) => sum + steps, 0),
      exit: runs.at(-1)?.exitCode ?? 0,
      ...(!verdict.passed && { detail: verdict.output }),
    }
  }
  try {
    const both = `${mode}, two tries`
    if (mode === 'raw') {
      const once = await raw(task, place.folder, await model())
      const first = await judged(mode, [], once.answered, once.usage)
      if (!twoTries.test(task.set)) return [first]
      if (first.solved) return [first, { ...first, mode: both }]
      place.hide()
      const path = subject(task)
      const files = { ...task.files, [path]: readFileSync(join(place.folder, path), 'utf8') }
      const prompt = secondRequest(task, first.detail ?? '')
      const again = await raw({ ...task, files, prompt }, place.folder, await model())
      const second = await judged(both, [], again.answered, sum(once.usage, again.usage))
      return [first, { ...second, requests: 2 }]
    }
    const run = await ours(task.prompt, place.folder, scratch, flagsOf(mode, task, scratch))
    const first = await judged(mode, [run], true, run)
    if (mode !== 'ours' || !twoTries.test(task.set)) return [first]
    if (first.solved) return [first, { ...first, mode: both }]
    place.hide()
    const again = secondRequest(task, first.detail ?? '')
    const second = await ours(again, place.folder, scratch, flagsOf(mode, task, scratch))
    return [first, await judged(both, [run, second], true, sum(run, second))]
  } finally {
    place.remove()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Keeps what a run left: its files with the tests, its events, what the check said. */
function keep(folder: string, files: string, run: Run | undefined, said: string): void {
  rmSync(folder, { recursive: true, force: true })
  cpSync(files, join(folder, 'files'), { recursive: true, filter: (path) => !/\/(?:\.git|__pycache__)$/.test(path) })
  writeFileSync(join(folder, 'said.txt'), said)
  const events = run?.events.map((event) => JSON.stringify(event)) ?? []
  writeFileSync(join(folder, 'events.jsonl'), events.map((line) => `${line}\n`).join(''))
}

type Counted = Pick<Run, 'promptTokens' | 'generatedTokens'>

const sum = (one: Counted, other: Counted): Counted => ({
  promptTokens: one.promptTokens + other.promptTokens,
  generatedTokens: one.generatedTokens + other.generatedTokens,
})

const sandbox = await openSandbox()
if (sandbox.problem !== undefined) throw new Error(sandbox.problem.message)
const jest = tasks.some((task) => task.check.startsWith('JEST ')) ? await findJest() : ''
const rawModel = openRawModel(flags.model)

const todo = flags.modes
  .split(',')
  .flatMap((mode) => tasks.map((task) => ({ task, mode })))
  .filter(({ task, mode }) => !done.some((o) => o.task === task.id && o.mode === mode && o.model === flags.model))
const began = performance.now()
for (const [index, { task, mode }] of todo.entries()) {
  const outcomes = (await attempt(task, mode, rawModel.get)).map((outcome) => ({
    ...outcome,
    ...(outcome.detail !== undefined && { detail: outcome.detail.split('\n').slice(-4).join('\n').slice(-400) }),
  }))
  done.push(...outcomes)
  for (const outcome of outcomes) appendFileSync(file, `${JSON.stringify(outcome)}\n`)
  const left = ((performance.now() - began) / (index + 1)) * (todo.length - index - 1)
  process.stderr.write(
    `${index + 1}/${todo.length} ${mode} ${task.id}: ${outcomes.map(({ solved, failure, seconds }) => `${solved ? 'solved' : failure} in ${seconds.toFixed(1)} s`).join(', then ')}, about ${Math.ceil(left / 60_000)} min left\n`,
  )
}
await rawModel.close()

const wanted = done.filter((outcome) => outcome.model === flags.model && tasks.some((task) => task.id === outcome.task))
process.stdout.write(
  `Model ${flags.model}, ${new Date().toISOString().slice(0, 10)}, npm run eval -- ${process.argv.slice(2).join(' ')}\n\n${report(wanted, load(previous))}\n`,
)
