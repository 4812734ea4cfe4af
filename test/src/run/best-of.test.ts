/** Attempts in worktrees of their own: the cheapest that passes is taken over, and what they have in common is read once. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { AgentEvent } from '../../../agent/index.ts'
import { dialectByName, openEmbedded } from '../../../engine/index.ts'
import { resolveConfig } from '../../../src/config/resolve.ts'
import { resolvePaths } from '../../../src/paths.ts'
import { bestOfRun } from '../../../src/run/best-of.ts'
import { fakeEngine } from '../../engine/fake-engine.ts'

const stay = '// a line that stays\n'.repeat(150)

function place() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-best-of-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'repo')
  execFileSync('git', ['init', '-q', root])
  writeFileSync(join(root, 'a.ts'), `export const a = 1\n${stay}`)
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], { cwd: root })
  git('add', '-A')
  git('commit', '-qm', 'x')
  return { root, paths: resolvePaths({ CACHALOT_HOME: join(folder, 'own') }) }
}

const edit = (to: string) =>
  `<tool_call>\n${JSON.stringify({ name: 'edit', arguments: { path: 'a.ts', old: 'a = 1', new: `a = ${to}` } })}\n</tool_call><|im_end|>`

async function run(replies: readonly string[], attempts: number) {
  const { root, paths } = place()
  let asked = 0
  const engine = fakeEngine({ contextTokens: 60_000, reply: () => replies[asked++] ?? 'No more.<|im_end|>' })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const info = { name: 'fake', finishes: 'words', prompt: 'full' } as const
  const model = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling, keepSequences: 1 })
  const flags = { check: 'grep -q "a = 2" a.ts', tries: '1', repository: 'always', sandbox: 'full-access' }
  const { config } = resolveConfig({ cwd: root, paths, environment: {}, flags })
  const events: AgentEvent[] = []
  const read: number[] = []
  const onEvent = (event: AgentEvent): void => {
    events.push(event)
    if (event.type === 'usage') read.push(event.usage.evaluatedTokens)
  }
  const signal = new AbortController().signal
  const result = await bestOfRun({ attempts, task: 'Make a two', model, config, paths, cwd: root, signal, onEvent })
  await model.close()
  return {
    root,
    paths,
    result,
    read,
    notices: events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])),
  }
}

test('the cheapest that passes is taken over; later attempts read only what is their own', {
  timeout: 120_000,
}, async () => {
  const long = `${'I think about it at length. '.repeat(20)}`
  const { root, paths, result, read, notices } = await run(
    [edit('3'), 'Done.<|im_end|>', `${long}${edit('2')}`, 'Done.<|im_end|>', edit('2'), 'Done.<|im_end|>'],
    3,
  )
  expect(result).toMatchObject({ exit: 'done', exitCode: 0 })
  expect(readFileSync(join(root, 'a.ts'), 'utf8')).toBe(`export const a = 2\n${stay}`)
  expect(notices.at(-1)).toBe('attempt 3 is taken over: the cheapest of 2 that pass')
  // Two requests an attempt: the first of the first reads everything, no other reads it again.
  expect(read[0]).toBeGreaterThan(5000)
  expect(read).toHaveLength(6)
  expect(Math.max(...read.slice(1))).toBeLessThan(700)
  expect(result.usage.evaluatedTokens).toBe(read.reduce((sum, tokens) => sum + tokens, 0))
  const left = join(paths.state, 'worktrees')
  expect(existsSync(left) ? readdirSync(left) : []).toEqual([])
})

test('where none passes nothing is changed, and it is not called done', { timeout: 120_000 }, async () => {
  const { root, result } = await run([edit('3'), 'Done.<|im_end|>', edit('4'), 'Done.<|im_end|>'], 2)
  expect(result).toMatchObject({ exit: 'not-done', exitCode: 1, changes: [] })
  expect(result.text).toContain('None of 2 attempts passes')
  expect(readFileSync(join(root, 'a.ts'), 'utf8')).toContain('a = 1')
})
