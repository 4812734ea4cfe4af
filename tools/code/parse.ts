/** From a request to its answer; runs in the thread. */
import type { Node } from 'web-tree-sitter'
import { outlineCache } from './cache.ts'
import { parserFor } from './grammars.ts'
import { type Language, languageOfText } from './languages.ts'
import { outlineOf } from './outline.ts'
import type { OutlineEntry } from './outline-text.ts'
import { problemsOf } from './problems.ts'
import { rankFiles } from './rank.ts'
import { linesNaming } from './references.ts'
import type { CodeAnswers, CodeRequest } from './requests.ts'

/** Of larger texts the outline is of their beginning; the rest of what can be asked is not answered. In characters. */
const maxText = 2_000_000
/** A text made to be hard may take a parser minutes. */
const maxMilliseconds = 2000

type Answer = CodeAnswers[keyof CodeAnswers]

/** `folder`: where outlines are kept; undefined: nowhere. */
export function answerer(folder: string | undefined): (request: CodeRequest) => Promise<Answer> {
  const cache = folder === undefined ? undefined : outlineCache(folder)
  return async (request) => {
    if (request.kind === 'rank') return await rankFiles(request.root, request.paths)
    if (request.kind === 'flush') {
      await cache?.flush()
      return undefined
    }
    const language = languageOfText(request.path, request.text)
    if (language === undefined || (request.kind !== 'outline' && request.text.length > maxText)) return undefined
    switch (request.kind) {
      case 'outline': {
        const make = (): Promise<OutlineEntry[] | undefined> =>
          withTree(language, request.text.slice(0, maxText), (root) =>
            outlineOf(root, language.name, request.text.length > maxText),
          )
        return cache === undefined ? await make() : await cache.get(language.name, request.text, make)
      }
      case 'problems':
        return await withTree(language, request.text, problemsOf)
      case 'references':
        return await withTree(language, request.text, (root) => linesNaming(root, request.name))
      default:
        return request satisfies never
    }
  }
}

/** Of this thread's own processor time, so that the same text has the same outline on a busy machine; of wall time before Node 23.9. */
function spentMilliseconds(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The tree is freed at once: what the library allocates is not seen by the garbage collector. */
async function withTree<Result>(
  language: Language,
  text: string,
  use: (root: Node) => Result,
): Promise<Result | undefined> {
  const parser = await parserFor(language)
  const until = spentMilliseconds() + maxMilliseconds
  // The declared type gives nothing back; the library stops when the callback says true.
  const progressCallback = (): boolean => spentMilliseconds() > until
  const tree = parser.parse(text, undefined, { progressCallback })
  try {
    return tree === null ? undefined : use(tree.rootNode)
  } finally {
    tree?.delete()
    parser.delete()
  }
}
