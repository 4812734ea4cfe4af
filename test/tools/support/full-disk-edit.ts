/** Runs edits on a disk with little room (the folder given), and prints what came of them as JSON. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWorkspace } from '../../../sandbox/index.ts'
import { call, toolContext } from './context.ts'

const [root = '', journal = ''] = process.argv.slice(2)
writeFileSync(join(root, 'a.txt'), 'one\n')
writeFileSync(join(root, 'b.txt'), 'two\n')
const context = toolContext(openWorkspace(root), { journal })
const large = `+${'x'.repeat(99)}\n`.repeat(4000)
const patch = `*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+ONE\n*** Add File: large.txt\n${large}*** Delete File: b.txt\n*** End Patch`
const patched = await call(context, 'edit', { patch })
const written = await call(context, 'write', { path: 'a.txt', content: 'y'.repeat(400_000) })
const small = await call(context, 'edit', { path: 'b.txt', old: 'two', new: 'TWO' })
const files = Object.fromEntries(readdirSync(root).map((name) => [name, readFileSync(join(root, name), 'utf8')]))
process.stdout.write(JSON.stringify({ patched, written, small, files, journal: readdirSync(journal) }))
