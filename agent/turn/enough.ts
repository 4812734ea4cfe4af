/** When a reply has given all that it can, and what follows only explains it. */
import type { ModelEvent } from '../../engine/index.ts'
import type { Turn } from './turn.ts'

/** A text that is this much of the file that stood there is the answer, and not a piece that is shown before it. */
const whole = 0.6

/**
 * Tells with each event of a reply whether it may end there: every file in play has been written whole and words follow.
 * Only for a model that `finishes` by edits, whose reply is over then; on a slow machine its explanation takes seconds that
 * nobody has asked for. Undefined for others, without a file in play, and where fences may stand in the file itself.
 */
export async function enough({
  info,
  filesInPlay,
  toolContext: { workspace },
}: Turn): Promise<((event: ModelEvent) => boolean) | undefined> {
  const paths = filesInPlay()
  if (info.finishes !== 'edits' || paths.length === 0 || paths.some((path) => /\.(?:md|mdx|rst)$/i.test(path))) return
  const missing = new Map<string, number>()
  for (const path of paths) missing.set(path, ((await workspace.stat(path))?.bytes ?? 0) * whole)
  let current: string | undefined
  let written = 0
  return (event) => {
    switch (event.type) {
      case 'call-start':
        current = event.name === 'write' ? event.path : undefined
        written = 0
        return false
      case 'call-delta':
        written += event.text.length
        return false
      case 'text':
        if (event.text.trim() === '') return false
        // Words come after the fence has closed only.
        if (current !== undefined && written >= (missing.get(current) ?? Number.POSITIVE_INFINITY)) {
          missing.delete(current)
        }
        return missing.size === 0
      default:
        return false
    }
  }
}
