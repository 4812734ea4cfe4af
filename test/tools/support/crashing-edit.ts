/**
 * Makes one change over several files and dies by SIGKILL at the n-th thing that it does to a disk. Arguments: root, folder
 * of the journal, n (0: never; then the number of things done is printed).
 */
import fs from 'node:fs'
import promises, { open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const [root = '', journal = '', at = '0'] = process.argv.slice(2)
let done = 0

/** A count of one for each call; the call at which to die is half done where that can be. */
function count(half?: () => void): void {
  done += 1
  if (done !== Number(at)) return
  half?.()
  process.kill(process.pid, 'SIGKILL')
}

function wrap(object: object, name: string, half?: (self: unknown, args: unknown[]) => void): void {
  const original = Reflect.get(object, name) as (...args: unknown[]) => unknown
  Reflect.set(object, name, function counted(this: unknown, ...args: unknown[]) {
    count(() => half?.(this, args))
    return Reflect.apply(original, this, args)
  })
}

const probe = await open(process.execPath, 'r')
const handle: object = Object.getPrototypeOf(probe)
await probe.close()
for (const name of ['sync', 'chmod', 'chown']) wrap(handle, name)
wrap(handle, 'writeFile', (self, [data]) => {
  const bytes = Buffer.from(data as string | Buffer)
  fs.writeSync((self as { fd: number }).fd, bytes, 0, Math.floor(bytes.length / 2))
})
for (const name of ['renameSync', 'unlinkSync', 'mkdirSync', 'fsync']) wrap(fs, name)
for (const name of ['open', 'rename', 'unlink', 'mkdir']) wrap(promises, name)
syncBuiltinESMExports()

const { openWorkspace } = await import('../../../sandbox/index.ts')
const { parsePatch } = await import('../../../tools/edit/patch/parse.ts')
const { planPatch } = await import('../../../tools/edit/plan.ts')
const { changeFiles } = await import('../../../tools/edit/transaction.ts')
done = 0
const patch = fs.readFileSync(0, 'utf8')
const workspace = openWorkspace(root)
const context = { workspace, journal, signal: new AbortController().signal }
await changeFiles(context, () => planPatch(workspace, parsePatch(patch)))
process.stdout.write(`${done}\n`)
