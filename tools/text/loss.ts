/** What a whole new text of a file leaves out of the old one: models drop what they were not asked about. */
import { allBlocks } from './blocks.ts'
import { type Definition, definitionsOf, docBlocksOf } from './definitions.ts'
import { toLf } from './lines.ts'
import { lostNames } from './lost-names.ts'

export type Loss =
  /** A function, class, member of a type or the like that the new text does not define anywhere, or less often than the old one. */
  | { readonly kind: 'definition'; readonly name: string; readonly line: number }
  /** A constant or import that the new text still uses, but does not have. */
  | { readonly kind: 'name'; readonly name: string; readonly line: number }
  /** A docstring or comment block of which less than half is left. `text`: its first line. */
  | { readonly kind: 'doc'; readonly text: string; readonly line: number }
  /** Less than half of the lines are left. Counted without empty ones. */
  | { readonly kind: 'shrink'; readonly before: number; readonly after: number }
  /** The new text says "rest of the code unchanged" instead of giving it. `line` is in the new text. */
  | { readonly kind: 'elision'; readonly text: string; readonly line: number }

/** Longer lines than this are data. */
const longestMember = 500

/** Below this many lines a file may shrink as it likes. */
const smallFile = 8

/**
 * Compares two whole texts of one file. `line`s are in `before`, from 1, but for `elision`. Heuristic, by lines: it knows
 * no grammar, so that it works on text in any language and on broken text. Empty when nothing seems lost. A name that
 * the task asks to remove or rename is for the caller to forgive.
 */
export function whatIsLost(before: string, after: string): Loss[] {
  const old = toLf(before)
  const next = toLf(after)
  const defined = lostDefinitions(old, next)
  const names = lostNames(old, next).filter(({ name }) => !defined.some((loss) => loss.name === name))
  return [
    ...defined,
    ...names.map((bound): Loss => ({ kind: 'name', ...bound })),
    ...lostDocs(old, next),
    ...shrinkage(old, next),
    ...elisions(old, next),
  ]
}

/** One line for a model or a person. */
export function describeLoss(loss: Loss): string {
  switch (loss.kind) {
    case 'definition':
      return `${loss.name} (line ${loss.line}) is gone`
    case 'name':
      return `${loss.name} (line ${loss.line}) is used, but gone`
    case 'doc':
      return `the comment or docstring at line ${loss.line} is gone: ${JSON.stringify(loss.text.slice(0, 60))}`
    case 'shrink':
      return `the file shrinks from ${loss.before} to ${loss.after} lines`
    case 'elision':
      return `line ${loss.line} stands for code that was left out: ${JSON.stringify(loss.text.slice(0, 60))}`
    default:
      return loss satisfies never
  }
}

function lostDefinitions(old: string, next: string): Extract<Loss, { kind: 'definition' }>[] {
  const before = [...definitionsOf(old), ...membersOf(old)]
  const after = [...definitionsOf(next), ...membersOf(next)]
  const kept = new Set(after.map(({ name }) => name))
  const gone = before.filter(({ name }) => !kept.has(name))
  const told = new Set<string>()
  return [...gone, ...lostNamesakes(old, before, next, after)].flatMap(({ name, line }) => {
    if (told.has(name)) return []
    told.add(name)
    return [{ kind: 'definition', name, line } as const]
  })
}

/** Of several of one name, as methods of two classes are: those of which there are fewer. The last of the old ones is told. */
function lostNamesakes(
  old: string,
  before: readonly Pick<Definition, 'name' | 'line'>[],
  next: string,
  after: readonly Pick<Definition, 'name' | 'line'>[],
): readonly Pick<Definition, 'name' | 'line'>[] {
  const numbers = Map.groupBy(after, ({ name }) => name)
  const fewer = [...Map.groupBy(before, ({ name }) => name)].filter(
    ([name, all]) => all.length > (numbers.get(name)?.length ?? all.length),
  )
  if (fewer.length === 0) return []
  // What has no body may be a call: only the eye can tell.
  const [oldBodies, newBodies] = [old, next].map((text) =>
    Map.groupBy(
      allBlocks(text.split('\n')).filter(({ head, end }) => end - head > 1),
      ({ name }) => name,
    ),
  )
  return fewer.flatMap(([name]) => {
    const had = oldBodies?.get(name) ?? []
    const last = had.at(-1)
    return last === undefined || had.length <= (newBodies?.get(name)?.length ?? 0)
      ? []
      : [{ name, line: last.head + 1 }]
  })
}

const declaresTypes = /^\s*(?:export\s+)?(?:declare\s+)?(?:interface|type)\s+[\p{L}_$]/mu
/** `readonly name?: string;` */
const member =
  /^\s+(?:(?:public|private|protected|static|readonly)\s+)*([\p{L}_$][\p{L}\p{N}_$]*)[?!]?:\s*[^\s=][^=]*[;,]?$/u

/** What the types of a text are made of, where it declares any: no block of their own says where they begin and end. */
function membersOf(text: string): { readonly name: string; readonly line: number }[] {
  if (!declaresTypes.test(text)) return []
  const said = new Set<number>()
  for (const { line, last } of docBlocksOf(text)) for (let at = line; at <= last; at++) said.add(at)
  return text.split('\n').flatMap((words, i) => {
    const name = said.has(i + 1) || words.length > longestMember ? undefined : member.exec(words.trimEnd())?.[1]
    return name === undefined || name === 'default' || name === 'case' ? [] : [{ name, line: i + 1 }]
  })
}

function lostDocs(old: string, next: string): Loss[] {
  const before = docBlocksOf(old)
  const after = docBlocksOf(next)
  // As many blocks as before: what is not found was written anew.
  const fewer = before.length - after.length
  if (fewer <= 0) return []
  const left = new Set(after.flatMap(({ lines }) => lines))
  const gone = before.filter(({ lines }) => lines.filter((line) => left.has(line)).length * 2 < lines.length)
  return gone.slice(0, fewer).map(({ lines, line }) => ({ kind: 'doc', text: lines[0]!, line }))
}

const fullLines = (text: string): number => text.split('\n').filter((line) => line.trim() !== '').length

function shrinkage(old: string, next: string): Loss[] {
  const before = fullLines(old)
  const after = fullLines(next)
  return before >= smallFile && after * 2 < before ? [{ kind: 'shrink', before, after }] : []
}

const elision =
  /^\s*(?:\/\/|#|\/\*|--|<!--|;|%|\{\/\*)\s*(?:\.{2,}|…)?\s*(?:(?:the\s+)?(?:rest|remainder|remaining|existing|previous|other|unchanged|same|all)\b.*\b(?:code|file|functions?|methods?|imports?|implementation|unchanged|same|as before|above|here|class|definitions?|content)\b|.*\b(?:remains?|stays?|is|are)\s+(?:the same|unchanged)\b|(?:code|implementation)\s+(?:continues|unchanged|omitted).*)/i

function elisions(old: string, next: string): Loss[] {
  const known = new Set(old.split('\n').map((line) => line.trim()))
  return next.split('\n').flatMap((line, i): Loss[] => {
    const text = line.trim()
    if (text.length > 120 || known.has(text)) return []
    const dots = /^(?:\/\/|#)\s*(?:\.\.\.|…)\s*$/.test(text)
    return dots || elision.test(text) ? [{ kind: 'elision', text, line: i + 1 }] : []
  })
}
