import { createTwoFilesPatch } from 'diff'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyHunks } from '../../tools/edit/hunks.ts'
import { parsePatch } from '../../tools/edit/patch/parse.ts'
import type { Hunk } from '../../tools/edit/patch/types.ts'
import { diffsByPath } from '../../tools/edit/patch/unified.ts'
import { unifiedDiff } from '../../tools/text/diff.ts'

function hunksOf(patch: string): readonly Hunk[] {
  const [operation] = parsePatch(patch)
  if (operation?.kind !== 'update') throw new Error(`not an update: ${patch}`)
  return operation.hunks
}

/** Few different lines: most hunks could fit in several places. */
const line = fc.constantFrom('a', 'b', 'c', '', '  a', '}', '@@ x', '-a', '+a', ' b', '*** a', '\\ x')
const lines = fc.array(line, { minLength: 1, maxLength: 30 })

test('a diff that another program wrote gives exactly the text it was made from', () => {
  let changed = 0
  fc.assert(
    fc.property(
      lines,
      lines,
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      fc.nat(3),
      (old, next, end1, end2, crlf, context) => {
        const eol = crlf ? '\r\n' : '\n'
        // Next shares much with old, so that there are several hunks.
        const mixed = old.flatMap((text, i) =>
          i % 5 === 0 ? [next[i % next.length]!, text] : i % 7 === 0 ? [] : [text],
        )
        const before = old.join(eol) + (end1 ? eol : '')
        const after = mixed.join(eol) + (end2 ? eol : '')
        if (before === after || before === '' || after === '' || !after.includes(eol) || !before.includes(eol)) return
        changed += 1
        const patch = createTwoFilesPatch('a/f', 'b/f', before, after, '', '', { context })
        const result = applyHunks(before, hunksOf(patch))
        expect(result).toEqual({ ok: true, text: after })
      },
    ),
    { numRuns: 1000 },
  )
  expect(changed).toBeGreaterThan(500)
})

interface Region {
  readonly start: number
  readonly length: number
  readonly next: readonly string[]
}

/** The plain meaning of hunks whose places are known. */
function model(file: readonly string[], regions: readonly Region[]): string {
  const output = [...file]
  for (const { start, length, next } of regions.toReversed()) output.splice(start, length, ...next)
  return output.map((text) => `${text}\n`).join('')
}

test("1,000 files of random hunks: the model's text, or a refusal where a hunk could be meant for another place", () => {
  const region = fc.record({
    skip: fc.nat(6),
    length: fc.integer({ min: 1, max: 3 }),
    next: fc.array(line, { maxLength: 3 }),
  })
  const outcomes = { applied: 0, refused: 0 }
  fc.assert(
    fc.property(lines, fc.array(region, { minLength: 1, maxLength: 4 }), fc.nat(3), (file, wanted, context) => {
      const regions: Region[] = []
      let at = 0
      for (const { skip, length, next } of wanted) {
        const start = at + skip
        if (start + length > file.length) break
        regions.push({ start, length, next })
        at = start + length + context
      }
      if (regions.length === 0) return
      const body = regions.flatMap(({ start, length, next }) => [
        '@@',
        ...file.slice(Math.max(0, start - context), start).map((text) => ` ${text}`),
        ...file.slice(start, start + length).map((text) => `-${text}`),
        ...next.map((text) => `+${text}`),
      ])
      // The context above a hunk may reach into the one before it: such a patch is no patch.
      const apart = regions.every(
        ({ start }, i) => i === 0 || start - context >= regions[i - 1]!.start + regions[i - 1]!.length,
      )
      if (!apart) return
      const patch = ['*** Begin Patch', '*** Update File: f', ...body, '*** End Patch'].join('\n')
      const result = applyHunks(file.map((text) => `${text}\n`).join(''), hunksOf(patch))
      if (result.ok) {
        outcomes.applied += 1
        expect(result.text).toBe(model(file, regions))
      } else {
        outcomes.refused += 1
        expect(result.reason).toBe('many-matches')
        expect(result.lines.length).toBeGreaterThan(1)
      }
    }),
    { numRuns: 2000 },
  )
  expect(outcomes.applied).toBeGreaterThan(300)
  expect(outcomes.refused).toBeGreaterThan(50)
})

test('a name is read as it was, however it had to be written: our own diffs and those of git', () => {
  const odd = fc.string({
    unit: fc.constantFrom('a', '/', ' ', '"', '\\', '\t', '\n', '\r', 'é', '本', '🐋', "'", '1'),
  })
  // A name that ends in a space says so to nobody where no quotes are needed; git has a tab there.
  const names = odd.filter((name) => name !== '' && name === name.trim())
  fc.assert(
    fc.property(names, (name) => {
      const changed = unifiedDiff(name, 'a\n', 'b\n')
      expect(parsePatch(changed)).toMatchObject([{ kind: 'update', path: name }])
      expect(parsePatch(unifiedDiff(name, null, 'b\n'))).toEqual([{ kind: 'add', path: name, text: 'b\n' }])
      expect(parsePatch(unifiedDiff(name, 'a\n', null))).toEqual([{ kind: 'delete', path: name }])
      const other = unifiedDiff('other', 'a\n', 'b\n')
      expect([...diffsByPath(changed + other)]).toEqual([
        [name, changed],
        ['other', other],
      ])
    }),
    { numRuns: 500 },
  )
  const hunk = '@@ -1 +1 @@\n-a\n+b\n'
  const pathIn = (written: string) => parsePatch(`--- ${written}\n+++ ${written.replace('a/', 'b/')}\n${hunk}`)
  expect(pathIn('"a/\\303\\251.txt"')).toMatchObject([{ path: 'é.txt' }])
  expect(pathIn('a/two words.txt\t')).toMatchObject([{ path: 'two words.txt' }])
  expect(pathIn('"a/é x.py"')).toMatchObject([{ path: 'é x.py' }])
  expect(pathIn('"a/no\\qescape"')).toMatchObject([{ path: 'no\\qescape' }])
  expect(pathIn('"a/open')).toMatchObject([{ path: '"a/open' }])
})
