/** What the model knows of the work tree's files, and what it has to be told because they are others now. */
import type { Workspace } from '../../sandbox/index.ts'
import type { AgentEvent } from '../events.ts'
import { changesSince, type Known } from './repository/delta.ts'

export interface KnownFiles {
  /** Files that the model was shown whole; without `text` a change of them is told by the whole file. */
  shown(files: Iterable<{ readonly path: string; readonly fingerprint: string; readonly text?: string }>): void
  /** The same, as a map. */
  resident(files: ReadonlyMap<string, Known>): void
  /** Whether it has the file in front of it as it is now, as far as was looked. */
  marks(): ReadonlyMap<string, string>
  /** Listens for files that the model writes itself: those it is not told of. */
  hear(event: AgentEvent): void
  /**
   * What has changed since, for the model ('' when nothing has); it counts as told. `except`: paths that it is shown whole
   * anyway. `files`: the new marks, for the log.
   */
  news(except: ReadonlySet<string>): Promise<{
    readonly text: string
    readonly files: readonly { readonly path: string; readonly fingerprint: string }[]
  }>
}

/** `seen`: path → fingerprint of what the tools have read and written last; it follows what is told here. */
export function knownFiles(workspace: Workspace, seen: Map<string, string>): KnownFiles {
  const known = new Map<string, Known>()
  const written = new Set<string>()
  return {
    shown(files) {
      for (const { path, fingerprint, text } of files) known.set(path, { fingerprint, text })
    },
    resident(files) {
      for (const [path, file] of files) known.set(path, file)
    },
    marks: () => new Map([...known].map(([path, { fingerprint }]) => [path, fingerprint])),
    hear(event) {
      if (event.type !== 'call') return
      for (const effect of event.effects) {
        if (effect.kind !== 'write') continue
        try {
          written.add(workspace.relative(effect.path))
        } catch {
          // Outside of the roots: the tool refuses it.
        }
      }
    },
    async news(except) {
      const asked = new Map([...known].filter(([path]) => !except.has(path)))
      // Of a file that the model has only read again, it may have read a part.
      const own = new Map([...seen].filter(([path]) => written.has(path)))
      const { text, now } = await changesSince(asked, workspace, own)
      const files: { path: string; fingerprint: string }[] = []
      for (const [path, after] of now) {
        if (after === undefined) {
          known.delete(path)
          continue
        }
        known.set(path, after)
        seen.set(path, after.fingerprint)
        files.push({ path, fingerprint: after.fingerprint })
      }
      written.clear()
      return { text, files }
    },
  }
}
