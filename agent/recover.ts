/** What an earlier process left half written is made whole, before anything is read. */
import type { Workspace } from '../sandbox/index.ts'
import { recoverEdits } from '../tools/index.ts'
import type { AgentEvent } from './events.ts'

/** Tells what was done, or that it could not be. Never fails a run. */
export async function recovered(workspace: Workspace, journal: string): Promise<AgentEvent[]> {
  try {
    return (await recoverEdits(workspace, journal)).map(({ message }) => ({
      type: 'notice',
      level: 'warning',
      text: message,
    }))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const text = `An edit that a crash cut short could not be made whole: ${why} It is tried again with the next edit.`
    return [{ type: 'notice', level: 'error', text }]
  }
}
