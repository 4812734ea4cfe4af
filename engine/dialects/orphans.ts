/** Fences without a path, kept until it is clear which of them is meant for which file. */
import type { WrittenCall } from './json-call.ts'

export interface Orphan {
  /** The file in play that it must be, if there is one. */
  readonly path: string | undefined
  /** Whether its language says so, and not only that no other file is in play. */
  readonly sure: boolean
  readonly language: string
  readonly content: string
}

export interface Orphanage {
  add(orphan: Orphan): void
  /**
   * The writes that the kept fences amount to: for each file the longest one, those that are sure first (a small model
   * likes to show the whole file and then how to use it). What was kept for `except`, a file that is now named in so
   * many words, is dropped. Fences that come later for any of these files are no files.
   */
  settle(except: string | undefined): WrittenCall[]
  settled(path: string): boolean
  drop(path: string): void
  /** The longest fence that could not be placed. */
  unplaced(): Orphan | undefined
}

export function orphanage(): Orphanage {
  let kept: Orphan[] = []
  const done = new Set<string>()
  let lost: Orphan | undefined
  return {
    add(orphan) {
      if (orphan.content.trim() === '') return
      if (orphan.path !== undefined) kept.push(orphan)
      else if (lost === undefined || orphan.content.length > lost.content.length) lost = orphan
    },
    settle(except) {
      if (except !== undefined) done.add(except)
      const best = new Map<string, Orphan>()
      for (const orphan of kept) {
        if (orphan.path === undefined || done.has(orphan.path)) continue
        const other = best.get(orphan.path)
        if (other === undefined || better(orphan, other)) best.set(orphan.path, orphan)
      }
      kept = []
      for (const path of best.keys()) done.add(path)
      return [...best].map(([path, { content }]) => ({ name: 'write', arguments: { path, content } }))
    },
    settled: (path) => done.has(path),
    drop(path) {
      kept = kept.filter((orphan) => orphan.path !== path)
    },
    unplaced: () => lost,
  }
}

function better(a: Orphan, b: Orphan): boolean {
  return a.sure === b.sure ? a.content.length > b.content.length : a.sure
}
