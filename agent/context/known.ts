/** What the model knows of the work tree's files, and what it has to be told because they are others now. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Workspace } from '../../sandbox/index.ts'
import type { AgentEvent } from '../events.ts'
import { changesSince, type Known } from './repository/delta.ts'
import { nowIgnored } from './repository/ignored.ts'
import { watchFiles } from './watch.ts'

/** What was known at a moment, to come back to with the conversation. */
export interface KnownMark {
  readonly known: ReadonlyMap<string, Known>
  readonly read: ReadonlyMap<string, string>
}

export interface News {
  /** For the model; '' when nothing has changed. */
  readonly text: string
  /** The new marks, for the log. */
  readonly files: readonly { readonly path: string; readonly fingerprint: string }[]
}

export interface KnownFiles {
  /** Files that the model was shown whole; without `text` a change of them is told by the whole file. */
  shown(files: Iterable<{ readonly path: string; readonly fingerprint: string; readonly text?: string }>): void
  /** The same, as a map. */
  resident(files: ReadonlyMap<string, Known>): void
  /** It does not have these in front of it any more. */
  forget(paths: Iterable<string>): void
  /** Path → fingerprint of what it has in front of it. */
  marks(): ReadonlyMap<string, string>
  /** Listens for files that the model reads and writes itself: it is not told of what it wrote. */
  hear(event: AgentEvent): void
  /**
   * What has changed since, for the model; it counts as told. `except`: paths that it is shown whole anyway. `noticed`: only
   * what the system told of is looked at, which costs next to nothing; else every file is.
   */
  news(options: { readonly except?: ReadonlySet<string>; readonly noticed?: boolean }): Promise<News>
  /** The text that `news` would give now; nothing counts as told. */
  peek(except: ReadonlySet<string>): Promise<News['text']>
  mark(): KnownMark
  /** The conversation went back: what was told since is not known any more. */
  restore(mark: KnownMark): void
  close(): void
}

/** A file's times are as coarse as the kernel's clock: one that has just changed may change again and look the same. */
const coarseMs = 50
const atOnce = 64

/** `seen`: path → fingerprint of what the tools have read and written last; it follows what is told here. */
export function knownFiles(workspace: Workspace, seen: Map<string, string>): KnownFiles {
  let known = new Map<string, Known>()
  /** Files that it has read by a tool, perhaps in part. */
  let read = new Map<string, string>()
  const written = new Set<string>()
  /** Files that were shown because somebody named them: they may be ones that an ignore file names. */
  const named = new Set<string>()
  const stamps = new Map<string, string>()
  const watched = watchFiles(workspace.root)

  const put = (path: string, file: Known): void => {
    known.set(path, file)
    read.delete(path)
    stamps.delete(path)
  }

  /** Those whose file is another than when it was last looked at; `noted`: this counts as a look. */
  async function changed(paths: readonly string[], noted: boolean): Promise<string[]> {
    const found: string[] = []
    for (let at = 0; at < paths.length; at += atOnce) {
      const some = paths.slice(at, at + atOnce)
      const now = await Promise.all(some.map((path) => stampOf(join(workspace.root, path))))
      for (const [index, path] of some.entries()) {
        const stamp = now[index]
        if (stamp !== undefined && stamps.get(path) === stamp) continue
        if (stamp === undefined) stamps.delete(path)
        else if (noted) stamps.set(path, stamp)
        found.push(path)
      }
    }
    return found
  }

  /** What has changed of what is known and read, among these paths; nothing is noted. */
  async function compare(asked: ReadonlySet<string>) {
    // Of a file that the model has only read again, it may have read a part.
    const own = new Map([...seen].filter(([path]) => written.has(path)))
    const ofKnown = new Map([...known].filter(([path]) => asked.has(path)))
    const told = await changesSince(ofKnown, workspace, {
      seen: own,
      all: new Set([...known.keys(), ...read.keys()]),
      hidden: (paths) =>
        nowIgnored(
          workspace.root,
          paths.filter((path) => !named.has(path)),
        ),
    })
    // It knows the text at a new place, but was not shown it: a change of it is told as of any file that it has read.
    const moved = new Map([...told.moved].map(([from, to]) => [to, known.get(from)?.fingerprint ?? '']))
    const ofRead = new Map(
      [...read, ...moved].flatMap(([path, fingerprint]): [string, Known][] =>
        asked.has(path) ? [[path, { fingerprint, text: undefined }]] : [],
      ),
    )
    const changes = [...(await changesSince(ofRead, workspace, { seen: own })).now]
    const isMine = (path: string, after: Known | undefined): boolean =>
      after !== undefined && own.get(path) === after.fingerprint
    const others = changes.filter(([path, after]) => !isMine(path, after))
    const lines = others.map(
      ([path, after]) => `${path} ${after === undefined ? 'is gone' : 'has changed'} since you read it.`,
    )
    const again = lines.length === 0 ? [] : [`${lines.join('\n')}\nRead again what you still need of it.`]
    const mine = changes.filter(([path, after]) => isMine(path, after))
    return { ...told, moved, mine, others, text: [...(told.text === '' ? [] : [told.text]), ...again].join('\n\n') }
  }

  return {
    shown(files) {
      for (const { path, fingerprint, text } of files) {
        put(path, { fingerprint, text })
        named.add(path)
      }
      watched.follow(known.keys())
    },
    resident(files) {
      for (const [path, file] of files) put(path, file)
      watched.follow(known.keys())
    },
    forget(paths) {
      for (const path of paths) known.delete(path)
    },
    marks: () => new Map([...known].map(([path, { fingerprint }]) => [path, fingerprint])),
    hear(event) {
      if (event.type === 'tool-result' && event.result.details.kind === 'read') {
        const { path } = event.result.details
        const fingerprint = seen.get(path)
        if (fingerprint === undefined || known.has(path)) return
        read.set(path, fingerprint)
        stamps.delete(path)
        watched.follow([path])
      }
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
    async news({ except = new Set(), noticed = false }) {
      const taken = watched.take()
      const may = (path: string): boolean =>
        !except.has(path) && (!noticed || taken === 'all' || taken.has(path) || written.has(path))
      const asked = new Set(await changed([...known.keys(), ...read.keys()].filter(may), true))
      const { text, now, moved, mine, others } = await compare(asked)
      for (const [path, fingerprint] of moved) read.set(path, fingerprint)
      watched.follow(moved.keys())
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
      for (const [path, after] of mine) if (after !== undefined) read.set(path, after.fingerprint)
      for (const [path] of others) read.delete(path)
      written.clear()
      return { text, files }
    },
    async peek(except) {
      const paths = [...known.keys(), ...read.keys()].filter((path) => !except.has(path))
      return (await compare(new Set(await changed(paths, false)))).text
    },
    mark: () => ({ known: new Map(known), read: new Map(read) }),
    restore(mark) {
      known = new Map(mark.known)
      read = new Map(mark.read)
      stamps.clear()
    },
    close: () => watched.close(),
  }
}

/** Undefined: gone, or too fresh to be told apart from its next change. */
async function stampOf(file: string): Promise<string | undefined> {
  try {
    const { size, mtimeNs, ctimeNs, ctimeMs, ino, mode } = await lstat(file, { bigint: true })
    if (Date.now() - Number(ctimeMs) < coarseMs) return undefined
    return `${size} ${mtimeNs} ${ctimeNs} ${ino} ${mode}`
  } catch {
    // Gone, or not to be entered: the reading of it tells which.
    return undefined
  }
}
