/** Cases of other agents' test suites (test/fixtures/edits), each with its source and licence in the file. */
import { globSync, readFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parsePatch } from '../../tools/edit/patch/parse.ts'
import { PatchError } from '../../tools/edit/patch/types.ts'
import type { ToolResult } from '../../tools/index.ts'
import { call, reasonOf, toolContext } from './support/context.ts'
import { workTree } from './support/workspace.ts'

interface ReplaceCase {
  readonly id: string
  readonly title: string
  readonly kind: 'replace'
  readonly tier: 'must' | 'lenient' | 'policy'
  readonly file: string
  readonly input: string | null
  readonly input_is_dir?: boolean
  readonly old: string
  readonly new: string
  readonly replace_all: boolean
  readonly expected?: string
  readonly expected_contains?: string
  readonly expect_error?: string
}

interface ConcurrentCase extends Omit<ReplaceCase, 'kind' | 'old' | 'new'> {
  readonly kind: 'concurrent_replace'
  readonly edits: readonly (readonly [string, string])[]
}

interface PatchCase {
  readonly id: string
  readonly title: string
  readonly kind: 'apply_patch'
  readonly tier: 'must' | 'lenient' | 'policy'
  readonly patch: string
  readonly input: Readonly<Record<string, string>>
  readonly expected: Readonly<Record<string, string>>
  readonly expect_ok: boolean
}

type Case = ReplaceCase | ConcurrentCase | PatchCase

/**
 * Where tools disagree, what ours does and why: the files afterwards are these, and the call fails
 * with this reason or does not.
 */
const policy: Readonly<Record<string, { reason?: string; files: Readonly<Record<string, string>> }>> = {
  // An empty `old` makes a file, and only where there is none.
  'opencode-edit-001': { files: { 'newfile.txt': 'new content' } },
  'opencode-edit-002': { reason: 'exists', files: { 'existing.cs': '\ufeffusing System;\n' } },
  'opencode-edit-003': { files: { 'nested/dir/file.txt': 'nested file' } },
  // Line endings do not make two equal texts different: the model cannot see them.
  'pi-edit-017': { reason: 'many-matches', files: { 'file.txt': 'hello\r\nworld\r\n---\r\nhello\nworld\n' } },
  // Nothing is overwritten that the patch does not show.
  'codex-apply-patch-010': {
    reason: 'exists',
    files: { 'old/name.txt': 'from\n', 'old/other.txt': 'unrelated file\n', 'renamed/dir/name.txt': 'existing\n' },
  },
  'codex-apply-patch-011': { reason: 'exists', files: { 'duplicate.txt': 'old content\n' } },
  'opencode-apply-patch-009': {
    reason: 'exists',
    files: { 'old/name.txt': 'from\n', 'renamed/dir/name.txt': 'existing\n' },
  },
  'opencode-apply-patch-010': { reason: 'exists', files: { 'duplicate.txt': 'old content\n' } },
  // All or nothing.
  'codex-apply-patch-015': { reason: 'not-found', files: {} },
  'opencode-apply-patch-016': { reason: 'not-found', files: {} },
}

/** Words of the cases for our reasons. */
const errorWords: Readonly<Record<string, readonly string[]>> = {
  'not found': ['no-match', 'not-found'],
  identical: ['no-change'],
  ambiguous: ['many-matches'],
  directory: ['not-a-file'],
}

const folder = join(import.meta.dirname, '../fixtures/edits')
const cases = globSync('*.json', { cwd: folder })
  .sort()
  .flatMap((file) => (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: Case[] }).cases)
  .filter((one) => ['replace', 'concurrent_replace', 'apply_patch'].includes(one.kind))

interface Outcome {
  readonly results: readonly ToolResult[]
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
}

async function play(one: Case): Promise<Outcome> {
  const before = inputFiles(one)
  const tree = await workTree(before)
  try {
    if (one.kind === 'replace' && one.input_is_dir) await mkdir(join(tree.root, one.file))
    const context = toolContext(tree.workspace)
    const results = await Promise.all(callsOf(one).map((args) => call(context, 'edit', args)))
    return { results, before, after: await filesUnder(tree.root) }
  } finally {
    await tree.remove()
  }
}

function inputFiles(one: Case): Readonly<Record<string, string>> {
  if (one.kind === 'apply_patch') return one.input
  return typeof one.input === 'string' ? { [one.file]: one.input } : {}
}

function callsOf(one: Case): unknown[] {
  switch (one.kind) {
    case 'replace':
      return [{ path: one.file, old: one.old, new: one.new, all: one.replace_all }]
    case 'concurrent_replace':
      return one.edits.map(([old, next]) => ({ path: one.file, old, new: next }))
    case 'apply_patch':
      return [{ patch: one.patch }]
    default:
      return one satisfies never
  }
}

async function filesUnder(root: string): Promise<Record<string, string>> {
  const names = globSync('**/*', { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile())
  const hidden = globSync('**/.*', { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile())
  const files: Record<string, string> = {}
  for (const entry of [...names, ...hidden]) {
    const path = join(entry.parentPath, entry.name)
    files[path.slice(root.length + 1)] = await readFile(path, 'utf8')
  }
  return files
}

describe.each(['must', 'lenient', 'policy'] as const)('%s', (tier) => {
  test.each(cases.filter((one) => one.tier === tier).map((one) => [one.id, one.title, one] as const))(
    '%s %s',
    async (_id, _title, one) => {
      const outcome = await play(one)
      if (tier === 'policy') expectPolicy(one, outcome)
      else if (tier === 'lenient' && !outcome.results[0]!.ok) expect(outcome.after).toEqual(outcome.before)
      else expectAgreed(one, outcome)
    },
  )
})

test('every policy case has its choice written down', () => {
  expect(Object.keys(policy).sort()).toEqual(
    cases
      .filter((one) => one.tier === 'policy')
      .map((one) => one.id)
      .sort(),
  )
})

function expectPolicy(one: Case, { results, after }: Outcome): void {
  const choice = policy[one.id]!
  expect(reasonOf(results[0]!), results[0]!.content).toBe(choice.reason)
  expect(after).toEqual(choice.files)
}

function expectAgreed(one: Case, { results, before, after }: Outcome): void {
  const told = results.map((result) => result.content).join('\n')
  if (one.kind === 'apply_patch') {
    expect(results[0]!.ok, told).toBe(one.expect_ok)
    expect(after).toEqual(one.expected)
  } else if (one.expect_error !== undefined) {
    expect(errorWords[one.expect_error], told).toContain(reasonOf(results[0]!))
    expect(after).toEqual(before)
  } else {
    expect(
      results.every((result) => result.ok),
      told,
    ).toBe(true)
    if (one.expected !== undefined) expect(after).toEqual({ [one.file]: one.expected })
    else expect(after[one.file]).toContain(one.expected_contains)
  }
}

interface BlocksCase {
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly tier: 'must' | 'lenient'
  readonly text: string
  readonly expected_blocks?: readonly (readonly [string, string, string])[]
  readonly expected_count?: number
  readonly expect_error?: string
}

describe('SEARCH/REPLACE blocks as a patch', () => {
  const { cases: blocks } = JSON.parse(readFileSync(join(folder, 'aider-blocks.json'), 'utf8')) as {
    cases: BlocksCase[]
  }
  test.each(
    blocks.filter((one) => one.kind === 'search_replace_parse').map((one) => [one.id, one.title, one] as const),
  )('%s %s', (_id, _title, one) => {
    if (one.expect_error !== undefined) {
      expect(() => parsePatch(one.text)).toThrow(PatchError)
      return
    }
    const read = parsePatch(one.text).map((operation) => {
      if (operation.kind === 'add') return [operation.path, '', operation.text]
      const hunk = operation.kind === 'update' ? operation.hunks[0]! : { old: [], next: [] }
      const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
      return [operation.path, text(hunk.old), text(hunk.next)]
    })
    if (one.expected_blocks) expect(read).toEqual(one.expected_blocks)
    else expect(read).toHaveLength(one.expected_count ?? read.length)
  })
})
