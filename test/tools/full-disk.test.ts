import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ToolResult } from '../../tools/index.ts'
import { onSmallDisk } from '../support/small-disk.ts'

interface Report {
  readonly patched: ToolResult
  readonly written: ToolResult
  readonly small: ToolResult
  readonly files: Readonly<Record<string, string>>
  readonly journal: readonly string[]
}

/** Edits with a small disk. `full`: which of the two folders is on it. */
async function whenFull(full: 'work tree' | 'journal'): Promise<Report> {
  const other = await mkdtemp(join(tmpdir(), 'cachalot-disk-'))
  const [root, journal] = full === 'work tree' ? ['/mnt', other] : [other, '/mnt']
  const script = join(import.meta.dirname, 'support/full-disk-edit.ts')
  try {
    return JSON.parse(await onSmallDisk(script, root, journal)) as Report
  } finally {
    await rm(other, { recursive: true, force: true })
  }
}

test.each(['work tree', 'journal'] as const)(
  'no room left for the %s: said clearly, nothing lost, and small edits go on',
  async (full) => {
    const { patched, written, small, files, journal } = await whenFull(full)
    // A change of one file needs next to no room in the journal: it goes on where only that disk is full.
    const refused = full === 'work tree' ? [patched, written] : [patched]
    for (const { details, content } of refused) {
      expect(details.kind === 'failure' && details.reason, content.slice(0, 200)).toBe('io')
      expect(content).toMatch(
        full === 'journal' ? /journal of the change cannot be kept in \/mnt: .*XDG_STATE/ : /disk is full/,
      )
    }
    expect(written.ok).toBe(full === 'journal')
    expect(small.ok, small.content).toBe(true)
    const a = full === 'journal' ? 'y'.repeat(400_000) : 'one\n'
    expect(Object.keys(files).sort()).toEqual(['a.txt', 'b.txt'])
    expect(files['a.txt'] === a).toBe(true)
    expect(files['b.txt']).toBe('TWO\n')
    expect(journal).toEqual([])
  },
)
