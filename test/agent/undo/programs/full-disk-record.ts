/** Records a work tree into a state folder that has no room for it, and prints what was said and what is left there. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openRecorder } from '../../../../agent/undo/recorder.ts'
import { openWorkspace, type Policy } from '../../../../sandbox/index.ts'

const [root = '', stateFolder = ''] = process.argv.slice(2)
const recorder = openRecorder({ stateFolder, workspace: openWorkspace(root), session: 's', now: Date.now })
recorder.begin('a task')
const policy: Policy = {
  mode: 'workspace-write',
  roots: [root],
  extraWrite: [],
  denyRead: [],
  network: 'off',
  passEnv: [],
}
const { signal } = new AbortController()
const said = await recorder.before([{ kind: 'run', command: 'x' }], policy, signal)
const names = readdirSync(stateFolder, { recursive: true, encoding: 'utf8' })
const bytes = names.reduce((sum, name) => sum + statSync(join(stateFolder, name)).size, 0)
process.stdout.write(JSON.stringify({ said, names, bytes }))
