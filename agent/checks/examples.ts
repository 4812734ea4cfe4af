/** Examples in the file as it was and in the task, run on the file as it is. */

import { python, runCommand, shellWord, toldCharacters } from './command.ts'
import { definedFunctions } from './examples/defined.ts'
import { type Example, findExamples } from './examples/find.ts'
import { type Outcome, pythonRunner, readOutcome } from './examples/python-runner.ts'
import type { ChangedText, Check, CheckContext } from './types.ts'

/** Seconds of processor time that one example may take, and of the clock that all of a file may: machines are busy. */
const each = 3
const all = 60
/** Failures that are told. */
const told = 3

export const examples: Check = async (context) => {
  let passed = 0
  let unloaded = 0
  const failed: string[] = []
  for (const file of context.files) {
    const outcome = file.after === null || !file.path.endsWith('.py') ? undefined : await ofFile(file, context)
    if (outcome === undefined) continue
    passed += outcome.passed
    // What is missing on this machine is no fault of the change.
    if (outcome.broken?.ours) {
      failed.push(`${file.path} cannot be loaded: ${outcome.broken.text}`)
      unloaded += 1
    }
    failed.push(...outcome.failed.map(({ source, want, got }) => `${source} should give ${want}, but gives ${got}`))
  }
  const total = passed + failed.length
  if (total === 0) return undefined
  const count = `${passed} of ${total}`
  if (failed.length === 0) return { name: 'examples', passed: true, detail: count }
  const detail = failed.slice(0, told).map((line) => line.slice(0, Math.floor(toldCharacters / told)))
  // A file that could not be loaded before either was never one to be loaded so.
  const compares = unloaded === failed.length ? ({ compares: 'equally' } as const) : {}
  return { name: 'examples', passed: false, detail: detail.join('\n'), share: passed / total, ...compares }
}

/** Undefined where the file has no examples. They are never taken from the new text: that is the model's. */
async function ofFile({ path, before, after }: ChangedText, context: CheckContext): Promise<Outcome | undefined> {
  const functions = definedFunctions(before ?? after ?? '')
  const outer = functions.filter(({ indent }) => indent === 0).map(({ name }) => name)
  const found: Example[] = [before ?? '', context.task].flatMap((text) => findExamples(text, outer))
  if (found.length === 0) return undefined
  const subject = outer.length === 1 ? outer[0] : undefined
  const job = { root: context.workspace.root, path, examples: found, subject, seconds: each }
  const line = `${python} -c ${shellWord(pythonRunner)}`
  const result = await runCommand(context, line, { seconds: all, writes: false, stdin: JSON.stringify(job) })
  const outcome = readOutcome(result.output)
  if (outcome !== undefined) return outcome
  if (result.outcome !== 'timed-out') return undefined
  const late = { source: found[0]!.source, want: found[0]!.want, got: `no result after ${all} s` }
  return { broken: null, passed: 0, failed: [late] }
}
