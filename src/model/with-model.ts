/** Sets one key of a TOML text and leaves every other byte alone: comments, order, line endings. */
import { isDeepStrictEqual } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import { UsageError } from '../usage-error.ts'

/**
 * The text with top-level `model` set. What comes out is parsed again and must say the same but for that key; where
 * this simple way of writing cannot do it, UsageError names the line to write by hand. `file` is for messages.
 */
export function withModel(text: string, model: string, file: string): string {
  const before = read(text, file)
  const wanted = { ...before, model }
  const candidates = 'model' in before ? replacements(text, model) : [insertion(text, model)]
  for (const candidate of candidates) {
    if (isDeepStrictEqual(plain(tryParse(candidate)), plain(wanted))) return candidate
  }
  throw new UsageError(`${file} is written in a way that cannot be changed safely. Write in it: ${line(model)}`)
}

function read(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw new UsageError(`${file}:${error.line}: ${error.message.split('\n')[0]} (nothing was changed)`)
  }
}

function tryParse(text: string): unknown {
  try {
    return parse(text)
  } catch {
    // A candidate that is no TOML is not taken.
    return undefined
  }
}

/** Tables as the parser makes them have no prototype; compared are their contents. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : structuredClone(value))

/** A JSON string is a TOML basic string, but for DEL. */
const quoted = (model: string): string => JSON.stringify(model).replaceAll('\u007f', '\\u007f')

const line = (model: string): string => `model = ${quoted(model)}`

/** One for each line that looks like the assignment; a line inside a longer text may look so too. */
function replacements(text: string, model: string): string[] {
  const assignment = /^([ \t]*(?:model|"model"|'model')[ \t]*=[ \t]*)(?:"(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*')/gm
  return [...text.matchAll(assignment)].map(
    (match) => text.slice(0, match.index) + match[1] + quoted(model) + text.slice(match.index + match[0].length),
  )
}

/** At the very beginning, where every key is a top-level one. */
function insertion(text: string, model: string): string {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  return mark + line(model) + end + text.slice(mark.length)
}
