/** Code sense: what a source file defines, whether it can be read, who uses a name. */
import { Worker } from 'node:worker_threads'
import { type OutlineEntry, renderOutline } from './outline-text.ts'
import type { SyntaxProblem } from './problems.ts'
import type { CodeAnswers, CodeRequest } from './requests.ts'

export interface CodeSense {
  /** What the text defines; undefined where its language is not known or it could not be parsed in time. Never rejects. */
  outline(path: string, text: string): Promise<readonly OutlineEntry[] | undefined>
  /** Where it cannot be read by its grammar. Undefined as above. Never rejects. */
  problems(path: string, text: string): Promise<readonly SyntaxProblem[] | undefined>
  /** Lines (from 1) on which the name is used as a name, not in comments or texts. Undefined as above. Never rejects. */
  references(path: string, text: string, name: string): Promise<readonly number[] | undefined>
  /** How much the other files of a work tree lean on each; empty where that could not be told. Never rejects. */
  rank(root: string, paths: readonly string[]): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}

/** A thread that dies so often is not started again. */
const mostStarts = 3

const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './code-worker.js', import.meta.url)

/**
 * Starts nothing yet: the thread and its grammars begin with the first question, and hold up no exit of the program.
 * `folder`: where outlines are kept between runs (absolute, made when needed); undefined: nowhere.
 */
export function openCode({ folder }: { readonly folder?: string | undefined } = {}): CodeSense {
  let worker: Worker | undefined
  let starts = 0
  let closed = false
  let nextId = 1
  const waiting = new Map<number, (value: unknown) => void>()

  /** The thread is gone, or broken: who waits goes on without it. */
  const lost = (which: Worker): void => {
    if (worker !== which) return
    worker = undefined
    for (const resolve of waiting.values()) resolve(undefined)
    waiting.clear()
  }

  const running = (): Worker | undefined => {
    if (worker !== undefined || closed || starts >= mostStarts) return worker
    starts += 1
    const begun = new Worker(workerFile(), {
      workerData: { folder },
      // Texts come and go: without it the young generation alone would take a hundred megabytes.
      resourceLimits: { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 512 },
      // Nothing of ours is printed there, and what a library prints must not reach the terminal.
      stdout: true,
      stderr: true,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    begun.on('message', ({ id, value }: { readonly id: number; readonly value?: unknown }) => {
      waiting.get(id)?.(value)
      waiting.delete(id)
      if (waiting.size === 0) begun.unref()
    })
    begun.on('error', () => lost(begun))
    begun.on('exit', () => lost(begun))
    worker = begun
    return begun
  }

  function ask<Kind extends CodeRequest['kind']>(
    request: Extract<CodeRequest, { kind: Kind }>,
  ): Promise<CodeAnswers[Kind] | undefined> {
    const thread = running()
    if (thread === undefined) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const id = nextId
      nextId += 1
      waiting.set(id, (value) => resolve(value as CodeAnswers[Kind] | undefined))
      thread.ref()
      thread.postMessage({ id, request })
    })
  }

  return {
    outline: (path, text) => ask<'outline'>({ kind: 'outline', path, text }),
    problems: (path, text) => ask<'problems'>({ kind: 'problems', path, text }),
    references: (path, text, name) => ask<'references'>({ kind: 'references', path, text, name }),
    rank: async (root, paths) => (await ask<'rank'>({ kind: 'rank', root, paths })) ?? new Map(),
    async close() {
      const last = worker
      if (last !== undefined && !closed) await ask<'flush'>({ kind: 'flush' })
      closed = true
      if (last === undefined) return
      lost(last)
      await last.terminate()
    },
  }
}

/** Whether files of this ending have a grammar is asked often, before anything is started. */
export { languageOf } from './languages.ts'
export { renderOutline }
