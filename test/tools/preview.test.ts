/** What a person is asked about is what would be done: a preview is held beside the run of the same call. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { allTools, parseCall, type TextChange } from '../../tools/index.ts'
import { call, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
beforeEach(async () => {
  tree = await workTree({ 'a.txt': 'one\ntwo\nthree\n', 'dos.txt': 'a\r\nb\r\n', 'gone.txt': 'old\n' })
})
afterEach(() => tree.remove())

const preview = async (name: string, given: object): Promise<readonly TextChange[]> => {
  const parsed = parseCall(allTools, name, given)
  if (!parsed.ok) throw new Error(parsed.problem)
  return (await parsed.tool.preview?.(parsed.input, toolContext(tree.workspace))) ?? []
}
const patch = (body: string) => ({ patch: `*** Begin Patch\n${body}*** End Patch\n` })

test.each([
  ['write', { path: 'dos.txt', content: 'a\nc\n' }],
  ['write', { path: 'new/file.txt', content: 'x\n' }],
  ['edit', { path: 'a.txt', old: 'two', new: 'zwei' }],
  ['edit', { path: 'a.txt', old: 'two ', new: 'zwei' }],
  [
    'edit',
    patch(
      '*** Update File: a.txt\n*** Move to: b.txt\n@@\n one\n-two\n+deux\n*** Delete File: gone.txt\n*** Add File: c.txt\n+hello\n',
    ),
  ],
])('%s %o: seen before as it is done', async (name, given) => {
  const seen = await preview(name, given)
  expect(seen.length).toBeGreaterThan(0)
  expect(readFileSync(`${tree.root}/a.txt`, 'utf8')).toBe('one\ntwo\nthree\n')
  const { details } = await call(toolContext(tree.workspace), name, given)
  const done = details.kind === 'changes' ? details.files : details.kind === 'change' ? [details] : []
  expect(done.map(({ path, before, after }) => ({ path, before, after }))).toEqual(seen)
})

test('a call that would fail has none', async () => {
  expect(await preview('edit', { path: 'a.txt', old: 'nowhere', new: 'x' })).toEqual([])
  expect(await preview('write', { path: '../out.txt', content: 'x' })).toEqual([])
  expect(await preview('edit', patch('*** Update File: none.txt\n@@\n-a\n+b\n'))).toEqual([])
})
