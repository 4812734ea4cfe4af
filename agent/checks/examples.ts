/** Examples in the file as it was and in the task, run on the file as it is. */

import { randomUUID } from 'node:crypto'
import { isExactExchange, renamed } from '../context/exchange.ts'
import { node, python, runCommand, shellWord, toldCharacters } from './command.ts'
import { declaredFunctions, declaredNames, definedFunctions } from './examples/defined.ts'
import type { Example } from './examples/example.ts'
import { findExamples } from './examples/find.ts'
import { javascriptRunner } from './examples/javascript-runner.ts'
import { type Job, type Outcome, readOutcome } from './examples/outcome.ts'
import { pythonRunner } from './examples/python-runner.ts'
import type { ChangedText, Check, CheckContext } from './types.ts'

/** Seconds of processor time that one example may take, and of the clock that all of a file may: machines are busy. */
const each = 3
const hurriedEach = 1
const all = 60
/** Failures that are told. */
const told = 3

export const examples: Check = async (context) => {
  let passed = 0
  let unloaded = 0
  const failed: string[] = []
  for (const file of context.files) {
    const outcome = file.after === null ? undefined : await ofFile(file, context)
    if (outcome === undefined) continue
    passed += outcome.passed
    // What is missing on this machine is no fault of the change.
    if (outcome.broken?.ours) {
      failed.push(`${file.path} cannot be loaded: ${outcome.broken.text}`)
      unloaded += 1
    }
    failed.push(
      ...outcome.failed.map(({ source, want, got }) =>
        want === '' ? `${source} should not fail: ${got}` : `${source} should give ${want}, but gives ${got}`,
      ),
    )
  }
  const total = passed + failed.length
  if (total === 0) return undefined
  const count = `${passed} of ${total}`
  if (failed.length === 0) return { name: 'examples', passed: true, detail: count }
  const detail = failed.slice(0, told).map((line) => line.slice(0, Math.floor(toldCharacters / told)))
  // A file that could not be loaded before either was never one to be loaded so; and names make nothing right that was wrong.
  const mayHaveFailed = unloaded === failed.length || isExactExchange(context.task)
  const compares = mayHaveFailed ? ({ compares: 'equally' } as const) : {}
  return { name: 'examples', passed: false, detail: detail.join('\n'), share: passed / total, ...compares }
}

/** What finds and runs the examples of one language. */
interface Language {
  readonly files: RegExp
  /** Names that an example may begin with. */
  readonly names: (text: string) => readonly string[]
  /** The one function that `Input:` and `Output:` are of; undefined where there are several. */
  readonly subject: (text: string) => string | undefined
  /** Where examples stand in a file. */
  readonly told: (text: string) => string
  /** The shell line that runs the runner, with the job on its stdin. */
  readonly line: string
}

const only = (names: readonly string[]): string | undefined => (names.length === 1 ? names[0] : undefined)
const outer = (text: string): string[] =>
  definedFunctions(text)
    .filter(({ indent }) => indent === 0)
    .map(({ name }) => name)

const languages: readonly Language[] = [
  {
    files: /\.py$/,
    names: outer,
    subject: (text) => only(outer(text)),
    told: (text) => text,
    line: `${python} -c ${shellWord(pythonRunner)}`,
  },
  {
    files: /\.[cm]?[jt]s$/,
    names: declaredNames,
    subject: (text) => only(declaredFunctions(text)),
    // Code itself compares calls with values, too.
    told: (text) =>
      text
        .split('\n')
        .filter((line) => /^\s*(?:\/\/|\/?\*)/.test(line))
        .join('\n'),
    line: `${node} --no-warnings -e ${shellWord(javascriptRunner)}`,
  },
]

/** Undefined where the file has no examples. They are never taken from the new text: that is the model's. */
async function ofFile({ path, before, after }: ChangedText, context: CheckContext): Promise<Outcome | undefined> {
  const language = languages.find(({ files }) => files.test(path))
  if (language === undefined) return undefined
  const was = before === null ? null : renamed(before, { path, after: after ?? '', task: context.task })
  const known = was ?? after ?? ''
  const names = language.names(known)
  const task = context.commands.tasksQuoteOutput === true ? '' : context.task
  const found: Example[] = [language.told(was ?? ''), task].flatMap((text) => findExamples(text, names))
  if (found.length === 0) return undefined
  const job: Job = {
    root: context.workspace.root,
    path,
    examples: found,
    subject: language.subject(known),
    seconds: context.hurried === true ? hurriedEach : each,
    mark: `@@${randomUUID()}@@`,
  }
  const result = await runCommand(context, language.line, { seconds: all, writes: false, stdin: JSON.stringify(job) })
  const outcome = readOutcome(result.output, job)
  if (outcome !== undefined) return outcome
  if (result.outcome !== 'timed-out') return undefined
  const late = { source: found[0]!.source, want: found[0]!.want, got: `no result after ${all} s` }
  return { broken: null, passed: 0, failed: [late] }
}
