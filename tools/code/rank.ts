/** How much the files of a work tree lean on each other: by the names that one defines and others use. */
import { readWithin } from '../../sandbox/index.ts'
import { languageOf } from './languages.ts'

/** Read in all, the rest counts as leaned on by nobody. In characters. */
const maxRead = 32 * 1024 * 1024
const maxFile = 256 * 1024
/** A name that so many files define says nothing of which one is meant. */
const mostDefiners = 5
const rounds = 20
const damping = 0.85

const defined =
  /\b(?:def|class|function\*?|fn|fun|func(?:\s*\([^)\n]{0,80}\))?|interface|type|enum|struct|trait|module|namespace|record|object|protocol|const|let|var|val|static|#define)\s+([A-Za-z_$][\w$]{2,})/g
const word = /[A-Za-z_$][\w$]{2,}/g

/**
 * A page rank (Brin and Page 1998, §2.1) over "uses a name that is defined there". By words, not by grammar: ten thousand
 * files are to be ranked in a moment. Same files, same order of paths: same ranks.
 */
export async function rankFiles(root: string, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>()
  const idOf = (name: string): number => {
    const known = ids.get(name)
    if (known !== undefined) return known
    // A copy: a piece of a text holds the whole text in memory.
    ids.set(Buffer.from(name, 'latin1').toString('latin1'), ids.size)
    return ids.size - 1
  }
  const definers = new Map<number, number[]>()
  const used: Uint32Array[] = []
  let read = 0
  for await (const text of readInOrder(root, paths)) {
    const at = used.length
    if (text === undefined || read > maxRead || text.length > maxFile) {
      used.push(new Uint32Array())
      continue
    }
    read += text.length
    for (const [, name] of text.matchAll(defined)) {
      const id = idOf(name!)
      const files = definers.get(id)
      if (files === undefined) definers.set(id, [at])
      else if (files.length <= mostDefiners && files.at(-1) !== at) files.push(at)
    }
    used.push(Uint32Array.from(new Set(text.match(word)), idOf))
  }

  const edges = used.map((names, from): [to: number, weight: number][] => {
    const weights = new Map<number, number>()
    for (const name of names) {
      const files = definers.get(name)
      if (files === undefined || files.length > mostDefiners) continue
      for (const to of files) if (to !== from) weights.set(to, (weights.get(to) ?? 0) + 1 / files.length)
    }
    const all = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
    return [...weights].map(([to, weight]) => [to, weight / all])
  })
  return new Map(pageRank(edges).map((rank, index) => [paths[index]!, rank]))
}

function pageRank(edges: readonly (readonly [to: number, weight: number][])[]): number[] {
  const count = edges.length
  let ranks = new Array<number>(count).fill(1 / Math.max(1, count))
  for (let round = 0; round < rounds; round += 1) {
    const next = new Array<number>(count).fill(0)
    let loose = 0
    for (const [from, targets] of edges.entries()) {
      if (targets.length === 0) loose += ranks[from]!
      for (const [to, weight] of targets) next[to]! += ranks[from]! * weight
    }
    ranks = next.map((rank) => (1 - damping) / count + damping * (rank + loose / count))
  }
  return ranks
}

/** At a time: enough to keep the disk busy, few enough for the memory. */
const atOnce = 32

async function* readInOrder(root: string, paths: readonly string[]): AsyncGenerator<string | undefined> {
  for (let from = 0; from < paths.length; from += atOnce) {
    const some = paths.slice(from, from + atOnce).map(async (path) => {
      if (languageOf(path) === undefined) return undefined
      // Gone meanwhile: leaned on by nobody.
      return (await readWithin(root, path))?.toString('latin1')
    })
    yield* await Promise.all(some)
  }
}
