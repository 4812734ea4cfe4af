import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { ToolResult } from '../../tools/index.ts'

interface Report {
  readonly patched: ToolResult
  readonly written: ToolResult
  readonly small: ToolResult
  readonly files: Readonly<Record<string, string>>
  readonly journal: readonly string[]
}

/** Its own small disk, at /mnt for this process alone. `full`: which of the two folders is on it. */
async function onSmallDisk(full: 'work tree' | 'journal'): Promise<Report> {
  const other = await mkdtemp(join(tmpdir(), 'cachalot-disk-'))
  const [root, journal] = full === 'work tree' ? ['/mnt', other] : [other, '/mnt']
  const box = [
    '--bind',
    '/',
    '/',
    '--dev-bind',
    '/dev',
    '/dev',
    '--proc',
    '/proc',
    '--size',
    '262144',
    '--tmpfs',
    '/mnt',
  ]
  const script = join(import.meta.dirname, 'support/full-disk-edit.ts')
  try {
    const { stdout } = await promisify(execFile)('bwrap', [...box, process.execPath, script, root, journal])
    return JSON.parse(stdout) as Report
  } finally {
    await rm(other, { recursive: true, force: true })
  }
}

test.each(['work tree', 'journal'] as const)(
  'no room left for the %s: said clearly, nothing lost, and small edits go on',
  async (full) => {
    const { patched, written, small, files, journal } = await onSmallDisk(full)
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
