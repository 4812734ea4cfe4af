/** Whatever a model writes as an edit: no exception, no third state, and nothing written that was not told before. */

import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allTools, parseCall } from '../../tools/index.ts'
import { toolContext } from './support/context.ts'
import { workTree } from './support/workspace.ts'

const files = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': '\ufeffx\r\ny\r\n', 'dir/c.txt': 'one\none\nlast' }

const path = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a.txt', './b.txt', 'dir/c.txt', 'dir/../a.txt', 'new.txt') },
  { weight: 1, arbitrary: fc.constantFrom('dir', '../out.txt', '/etc/x', '.git/config', 'a.txt/x', '', '\0', '~/x') },
)
const word = fc.constantFrom('one', 'two', 'three', 'x', 'y', 'last', '', 'zero', '  one', 'one  ')
const line = fc.oneof(
  path.chain((p) =>
    fc.constantFrom(
      `*** Add File: ${p}`,
      `*** Delete File: ${p}`,
      `*** Update File: ${p}`,
      `*** Move to: ${p}`,
      `--- a/${p}`,
      `+++ b/${p}`,
      p,
    ),
  ),
  fc.tuple(fc.constantFrom(' ', '-', '+', '@@ ', ''), word).map(([sign, text]) => sign + text),
  fc.constantFrom(
    '*** Begin Patch',
    '*** End Patch',
    '*** End of File',
    '@@',
    '@@ -1,2 +1,2 @@',
    '--- /dev/null',
    '+++ /dev/null',
  ),
  fc.constantFrom(
    '<<<<<<< SEARCH',
    '=======',
    '>>>>>>> REPLACE',
    '\\ No newline at end of file',
    '```',
    'diff --git a/a b/b',
  ),
)
/** Whole-looking patches, so that many of them apply, and heaps of lines that only look like some. */
const update = fc
  .tuple(
    path,
    fc.option(path),
    fc.array(fc.tuple(fc.constantFrom(' ', '-', '+'), word), { minLength: 1, maxLength: 4 }),
  )
  .map(([p, to, body]) => [
    `*** Update File: ${p}`,
    ...(to === null ? [] : [`*** Move to: ${to}`]),
    '@@',
    ...body.map(([s, w]) => s + w),
  ])
const operation = fc.oneof(
  update,
  path.map((p) => [`*** Delete File: ${p}`]),
  fc.tuple(path, word).map(([p, w]) => [`*** Add File: ${p}`, `+${w}`]),
)
const patch = fc.oneof(
  fc.array(line, { maxLength: 14 }).map((lines) => lines.join('\n')),
  fc
    .array(operation, { maxLength: 4 })
    .map((parts) => ['*** Begin Patch', ...parts.flat(), '*** End Patch'].join('\n')),
)
const call = fc.oneof(
  fc.record({ patch }),
  fc.record({ path, patch }),
  fc.record({ path, old: word, new: word, all: fc.boolean() }),
  fc.record({ path, old: patch, new: patch }),
)

function snapshot(root: string): Record<string, string> {
  const found = globSync('**/*', { cwd: root, withFileTypes: true, exclude: ['.git'] }).filter((entry) =>
    entry.isFile(),
  )
  return Object.fromEntries(
    found.map((entry) => {
      const full = join(entry.parentPath, entry.name)
      return [full.slice(root.length + 1), readFileSync(full, 'latin1')]
    }),
  )
}

test('an edit that fails changes nothing, and one that succeeds changes only what its effects name', async () => {
  const tree = await workTree(files)
  const context = toolContext(tree.workspace)
  const outcomes = { ok: 0, failed: 0 }
  await fc.assert(
    fc.asyncProperty(call, async (args) => {
      const before = snapshot(tree.root)
      const parsed = parseCall(allTools, 'edit', args)
      if (!parsed.ok) return
      const result = await parsed.tool.run(parsed.input, context)
      const after = snapshot(tree.root)
      const told = new Set(
        parsed.effects.flatMap((effect) => {
          try {
            return effect.kind === 'write' ? [tree.workspace.relative(effect.path)] : []
          } catch {
            // Outside: such a call must have failed.
            expect(result.ok).toBe(false)
            return []
          }
        }),
      )
      const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
        (name) => before[name] !== after[name],
      )
      outcomes[result.ok ? 'ok' : 'failed'] += 1
      if (!result.ok) expect(changed).toEqual([])
      else expect(changed.length).toBeGreaterThan(0)
      for (const name of changed) expect(told).toContain(name)
      for (const name of changed) {
        if (name in files) writeFileSync(join(tree.root, name), files[name as keyof typeof files])
        else await tree.workspace.remove(name)
      }
    }),
    { numRuns: 300 },
  )
  expect(outcomes.ok).toBeGreaterThan(5)
  expect(outcomes.failed).toBeGreaterThan(60)
  await tree.remove()
})
