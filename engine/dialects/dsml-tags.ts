/** The tags of DeepSeek's call markup (DSML), in every spelling that models have been seen to emit. */
import type { TagGrammar } from './tag-reader.ts'

export type DsmlName = 'block' | 'invoke' | 'parameter'

export interface DsmlTag {
  readonly kind: 'dsml'
  readonly name: DsmlName
  readonly close: boolean
  /** Whether the tag carries the `DSML` token; without it, it may be anybody's XML. */
  readonly marked: boolean
  readonly attributes: string
}

export type Tag = DsmlTag | { readonly kind: 'think'; readonly close: boolean } | { readonly kind: 'turn' }

/**
 * V4 writes `<｜DSML｜tool_calls>`, V4.1 `<｜DSML｜ calls>`, V3.2 `<｜DSML｜function_calls>`. Seen besides: the first bar
 * missing, bars doubled or ASCII, no DSML at all.
 */
const names: Readonly<Record<string, DsmlName>> = {
  tool_calls: 'block',
  function_calls: 'block',
  calls: 'block',
  invoke: 'invoke',
  parameter: 'parameter',
}

const whole =
  /^<(\/?)([｜|]{0,2})(DSML)?([｜|]{0,2})[ \u00a0]?(tool_calls|function_calls|calls|invoke|parameter)((?:\s[^>\n]*)?)>$/
const named =
  /^<\/?[｜|]{0,2}(?:DSML)?[｜|]{0,2}[ \u00a0]?(?:tool_calls|function_calls|calls|invoke|parameter)(?:\s[^>\n]*)?$/
const begun = /^<\/?[｜|]{0,2}(?:D(?:S(?:ML?)?)?)?[｜|]{0,2}[ \u00a0]?([a-z_]*)$/

const thinkTags = ['<think>', '</think>']

/** Control tokens that belong to the frame of a turn and mean nothing inside of a reply. */
const turnTags = ['<｜end▁of▁sentence｜>', '<｜begin▁of▁sentence｜>', '<｜Assistant｜>', '<｜User｜>', '<｜System｜>']

const fixed = [...thinkTags, ...turnTags]

export const dsmlGrammar: TagGrammar = {
  first: '<',
  look(text) {
    if (fixed.includes(text) || whole.test(text)) return 'whole'
    if (named.test(text) || fixed.some((tag) => tag.startsWith(text))) return 'more'
    const word = begun.exec(text)?.[1]
    return word !== undefined && Object.keys(names).some((name) => name.startsWith(word)) ? 'more' : 'none'
  },
}

/** What a tag that the grammar found is. */
export function readTag(tag: string): Tag {
  if (thinkTags.includes(tag)) return { kind: 'think', close: tag.startsWith('</') }
  const found = whole.exec(tag)
  const name = names[found?.[5] ?? '']
  if (found === null || name === undefined) return { kind: 'turn' }
  return {
    kind: 'dsml',
    name,
    close: found[1] === '/',
    marked: found[3] !== undefined,
    attributes: found[6] ?? '',
  }
}

/** The value of an attribute, also where a quote is missing. */
export function attribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|["']?([^\\s"'>]+)["']?)`).exec(attributes)
  return found?.[1] ?? found?.[2] ?? found?.[3]
}
