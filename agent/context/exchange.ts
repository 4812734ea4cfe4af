/** Tasks that put one word in the place of another wherever it stands: which words these are, and where the task wants it. */

/** What a task asks to exchange. */
export interface Exchange {
  /** The words that are to go; mostly one. */
  readonly words: readonly [string, ...string[]]
  /** The word that takes the place of the only one. Undefined: the task asks for something else besides, or may mean more than the word. */
  readonly by: string | undefined
  /** Paths to which the task keeps to; none: the whole work tree. */
  readonly within: readonly string[]
  /** Paths that it leaves out. */
  readonly without: readonly string[]
}

const whole = '(?:the|this|our) (?:(?:whole|entire) )?(?:code ?base|code|repo(?:sitory)?|project|package|tree)'
const all = [
  `(?:everywhere|wherever)(?: it(?:(?: i|'|’)s used| occurs| appears| stands))?(?: in ${whole})?`,
  `throughout(?: ${whole})?`,
  'all over(?: the place)?',
  `(?:in|across) (?:all|every|each)(?: of)?(?: the)?(?: other)? (?:files?|places)(?: (?:of|in) ${whole})?`,
  `(?:across|in all of) ${whole}|in the (?:whole|entire) (?:code ?base|code|repo(?:sitory)?|project|package|tree)`,
].join('|')
const kinds = 'function|method|class|type|interface|variable|constant|field|property|option|name|word|identifier|symbol'
const what = `(?:(?:all|every) )?(?:the )?(?:(?:uses?|usages?|occurrences?|calls?|references?) (?:of|to) )?(?:the )?(?:(?:${kinds}) )?`
const name = '[`"\']?([\\w$]+)(?:\\(\\))?[`"\']?'
/** `rename X to Y`, `replace all uses of the function X with Y`. */
const verb = `(?:rename|replace|change) ${what}${name} (?:to|with|by|into|as|->|=>|→) `
/** What is everywhere anyway: told besides, it asks for nothing more. */
const besides =
  '(?:[\\s,]|and|in|its?|their|the|any|all|also|too|code|tests?|docs?|documentation|comments?|docstrings?|strings?|imports?|callers?|calls?|uses?|usages?|references?|examples?|definitions?|changelog)+'
const nothingMore =
  "(?: (?:(?:do not|don['’]t) (?:change|touch|do) anything else|change nothing else|nothing else)[.!]?)?"
const path = '[`"\']?[\\w@./-]*[\\w/][`"\']?'
const paths = `(${path}(?:(?:,| and| or|, and) ${path})*)`
const alone = new RegExp(
  `^(?:please,? )?(?:(?:${all}),? (?:please )?)?${verb}(?:the (?:${kinds}) )?${name}` +
    `(?:,? (?:${all}))?(?: (?:in|under|within|below|of) ${paths})?` +
    `(?:,? \\(?(?:including|also|even|too|as well|as well as|and)\\b${besides}\\)?)?` +
    `(?:,? \\(?(?:except|excluding|but not|apart from|other than)(?: for)?(?: (?:in|under|within))? ${paths}\\)?)?(?:,? please)?[.!]?${nothingMore}$`,
  'i',
)
const somewhere = new RegExp(`\\b(?:${all})`, 'i')
const exchange = new RegExp(`\\b${verb}\\S`, 'i')
/** `… and z to w`, of another word of the same wish. */
const further = new RegExp(
  `(?:,|;| and) (?:also )?(?:(?:rename|replace|change) )?${what}${name} (?:to|with|by|into|as|->|=>|→) ${name}(?![\\w$])`,
  'gi',
)

/** "And change the docs to match", "and everything to do with it" are no words for others. */
const isFurther = (said: string, other: string, by: string): boolean =>
  other !== by &&
  other.length > 1 &&
  !(isPlain(other) && /\b(?:change|replace|every\w*|all|it|them|this|that)\b/i.test(said))

/** Undefined for every task that is no exchange everywhere. */
export function exchangeIn(task: string): Exchange | undefined {
  const words = task.trim().replace(/\s+/g, ' ')
  const word = somewhere.test(words) ? exchange.exec(words)?.[1] : undefined
  if (word === undefined || word.length < 2) return undefined
  // "Replace load with load(path)": it stands there afterwards, too.
  const rest = words.slice(words.indexOf(word) + word.length)
  if (wholeWord([word], '').test(rest)) return undefined
  const others = [...rest.matchAll(further)]
    .slice(0, mostNames)
    .flatMap(([said, other = '', by = '']) =>
      isFurther(said, other, by) && (isPlain(word) || !isPlain(other)) ? [other] : [],
    )
  if (others.length > 0) return { words: [word, ...others], by: undefined, within: [], without: [] }
  const [, , by, within, without] = alone.exec(words) ?? []
  // "Replace tabs with spaces" and "change var to const" mean more than these words.
  const isMeant = by !== word && (/\brename\b/i.test(words) || !isPlain(word))
  return { words: [word], by: isMeant ? by : undefined, within: listed(within), without: listed(without) }
}

/** More names than these no task renames that anybody wrote. */
const mostNames = 20
const rename = new RegExp(`\\brename ${what}${name} (?:to|into|as|->|=>|→) ${name}(?![\\w$.(-])`, 'gi')

/** A text of this path with the names that it has after the task: those that the task renames and that `after` no longer has. */
export function renamed(text: string, { path, after, task }: Record<'path' | 'after' | 'task', string>): string {
  let now = text
  for (const [, word = '', by = ''] of [...task.replace(/\s+/g, ' ').matchAll(rename)].slice(0, mostNames)) {
    const isDone = !wholeWord([word], path).test(after) && wholeWord([by], path).test(after)
    if (isDone) now = now.replace(wholeWord([word], path), () => by)
  }
  return now
}

/** Whether a task asks for nothing but one name in the place of another everywhere: a small model is not asked then. */
export const isExactExchange = (task: string): boolean => exchangeIn(task)?.by !== undefined

/** Whether a name could be a word of a sentence, or another thing's name as well: no capital, digit, `_` or `$` tells. */
export const isPlain = (word: string): boolean => /^\p{Ll}+$/u.test(word)

const scripts = /\.(?:[cm]?[jt]sx?|vue|svelte|astro)$/i

/** Finds words in a file of this path where they are no part of another; `$` is a letter of names only in some languages. */
export function wholeWord(words: readonly string[], path: string): RegExp {
  const letter = `[\\p{L}\\p{N}_${scripts.test(path) ? '$' : ''}]`
  return new RegExp(
    `(?<!${letter})(?:${words.map((word) => word.replaceAll('$', '\\$')).join('|')})(?!${letter})`,
    'gu',
  )
}

const listed = (text = ''): string[] =>
  text
    .split(/,? and |,? or |, ?/)
    .map((each) =>
      each
        .replace(/[`"']/g, '')
        .replace(/^\.\//, '')
        .replace(/[/.]+$/, ''),
    )
    .filter((each) => each !== '')
