/** `--dry-run`: the model looks and plans, and nothing is touched. */
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { exitCode, isExactExchange } from '../../agent/index.ts'
import type { ToolCall } from '../../engine/index.ts'
import { diffsByPath, type Effect, unifiedDiff } from '../../tools/index.ts'
import type { Config } from '../config/settings.ts'
import { type ConverseRequest, converse } from './converse.ts'
import { fenced } from './fence.ts'
import type { RunFlags } from './flags.ts'
import type { PlannedChange, RunResult } from './output.ts'

/**
 * Said before the task. A question, and the task quoted: so neither the model nor the loop takes it for a wish that files
 * should differ.
 */
const ask =
  'What would you do for the task below? This is a dry run, in which nothing can be written: answer with a short numbered list of the files that would differ, and how.'

/** The settings of a dry run: whatever was asked for, commands and tools write nothing. */
export const dryConfig = (config: Config): Config => ({ ...config, sandbox: 'read-only' })

/** Lets the model plan. What it tries to write all the same is refused by the settings, and noted as part of the plan. */
export async function planRun(request: ConverseRequest): Promise<RunResult | undefined> {
  const { session, task, onEvent } = request
  const planned: PlannedChange[] = []
  // What needs no model is planned by doing it as far as it goes: the one call is refused, and is the plan.
  const isExact = session.info.model.prompt === 'small' && isExactExchange(task)
  const result = await converse({
    ...request,
    task: isExact ? task : `${ask}\n\nTask:\n${fenced(task)}`,
    onEvent(event) {
      onEvent(event)
      if (event.type !== 'call') return
      for (const change of plannedOf(event.call, event.effects, session.info.cwd)) {
        if (!planned.some(({ path, diff }) => path === change.path && diff === change.diff)) planned.push(change)
      }
    },
  })
  const refused = result?.exit === 'not-done' || result?.exit === 'denied'
  if (!refused || planned.length === 0) {
    return result && { ...result, planned }
  }
  const text = planned.map(({ path }) => `would change ${path}`).join('\n')
  return { ...result, exit: 'done', exitCode: exitCode.done, text, planned }
}

/** What a run would do besides, a line each; known without any model. */
export function planLines(config: Config, flags: RunFlags, cwd: string): string[] {
  return [
    `dry run in ${cwd}: nothing is changed`,
    flags.worktree === true ? 'would work in a worktree of its own, on a new branch' : 'would work in this folder',
    config.check === undefined ? 'no check was given (--check)' : `done would mean that this passes: ${config.check}`,
    `limits: ${config.maxSteps} steps, ${config.maxTokens} tokens, ${config.maxSeconds} s`,
    ...(flags.commit === true ? ['would commit what was changed'] : []),
    ...(flags.patch === undefined ? [] : [`would write a patch to ${flags.patch}`]),
  ]
}

const written = z.object({ path: z.string(), content: z.string() })
const edited = z.object({ path: z.string(), old: z.string().min(1), new: z.string() })

const patched = z.object({ patch: z.string().startsWith('--- ') })

function plannedOf(call: ToolCall, effects: readonly Effect[], cwd: string): PlannedChange[] {
  const paths = effects.flatMap((effect) => (effect.kind === 'write' ? [effect.path] : []))
  const write = written.safeParse(call.arguments)
  const edit = edited.safeParse(call.arguments)
  const patch = patched.safeParse(call.arguments)
  const diffs = call.name === 'edit' && patch.success ? diffsByPath(patch.data.patch) : undefined
  return paths.map((path) => {
    const before = textAt(cwd, path)
    if (diffs !== undefined) return { path, diff: diffs.get(path) ?? '' }
    if (call.name === 'write' && write.success) return { path, diff: unifiedDiff(path, before, write.data.content) }
    if (call.name === 'edit' && edit.success && before?.split(edit.data.old).length === 2) {
      return {
        path,
        diff: unifiedDiff(
          path,
          before,
          before.replace(edit.data.old, () => edit.data.new),
        ),
      }
    }
    return { path }
  })
}

/** Of the work tree only: what a tool would refuse to read is not shown here either. */
function textAt(cwd: string, path: string): string | null {
  try {
    const file = realpathSync(join(cwd, path))
    return file.startsWith(`${cwd}/`) ? readFileSync(file, 'utf8') : null
  } catch {
    return null // none there, or not to be read: the plan says the path
  }
}
