/** Changes many files, then looks at them as they were, or takes them back and forth, until it kills itself at a given write. */
import { join } from 'node:path'
import { trackChanges } from '../../agent/changes.ts'
import { openWorkspace } from '../../sandbox/index.ts'

const [, , root = '', journal = '', what = '', at = ''] = process.argv
const workspace = openWorkspace(root)
let left = Number.POSITIVE_INFINITY
const counted = <Args extends unknown[]>(work: (...args: Args) => Promise<void>) => {
  return async (...args: Args): Promise<void> => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL')
    await work(...args)
  }
}
const deadly = Object.assign(Object.create(workspace), {
  write: counted(workspace.write.bind(workspace)),
  remove: counted(workspace.remove.bind(workspace)),
})
const changes = trackChanges(deadly, journal)
for (const name of [...(await workspace.list('.')), 'made']) {
  await changes.before([{ kind: 'write', path: join(root, name) }])
  await workspace.write(name, Buffer.from('new\n'))
}
const held = await changes.differences()
left = Number(at)
for (;;) {
  if (what === 'look') await changes.asTheyWere(held, async () => undefined)
  else {
    await changes.put([])
    await changes.put(held)
  }
}
