/** Values as Gemma 4 writes them: JSON without quoted keys, and texts between `<|"|>` marks. */
import type { Piece } from '../dialect.ts'
import { isRecord } from './arguments.ts'
import { trusted, untrusted } from './chatml.ts'

export const quote = '<|"|>'

/** No tool takes anything so deep, and recursion over what a model wrote must end. */
const deepest = 64

export function textPieces(text: string): Piece[] {
  return [trusted(quote), untrusted(text), trusted(quote)]
}

/** A value with its keys sorted, as the template's `dictsort` does: without regard to case. */
export function valuePieces(value: unknown): Piece[] {
  if (typeof value === 'string') return textPieces(value)
  if (Array.isArray(value)) return [untrusted('['), ...joined(value.map(valuePieces)), untrusted(']')]
  if (isRecord(value)) return [untrusted('{'), ...fieldPieces(value), untrusted('}')]
  return [untrusted(value === null || value === undefined ? 'None' : String(value))]
}

export function fieldPieces(values: Readonly<Record<string, unknown>>): Piece[] {
  return joined(sorted(values).map(([key, value]) => [untrusted(`${key}:`), ...valuePieces(value)]))
}

export function sorted<Value>(values: Readonly<Record<string, Value>>): [string, Value][] {
  const fold = (key: string): string => key.toLowerCase()
  return Object.entries(values).sort(([a], [b]) => (fold(a) < fold(b) ? -1 : fold(a) > fold(b) ? 1 : 0))
}

export function joined(parts: readonly Piece[][]): Piece[] {
  return parts.flatMap((part, index) => (index === 0 ? part : [untrusted(','), ...part]))
}

/** Reads `{key:value,…}`. Undefined for what is not whole. Also takes JSON, to which models fall back. */
export function readFields(text: string): Record<string, unknown> | undefined {
  const reader = valueReader(text)
  const value = reader.value(0)
  return reader.rest().trim() === '' && isRecord(value) ? value : undefined
}

function valueReader(text: string): { value: (depth: number) => unknown; rest: () => string } {
  let at = 0

  function space(): void {
    while (at < text.length && /\s/.test(text[at] ?? '')) at += 1
  }

  function take(word: string): boolean {
    space()
    if (!text.startsWith(word, at)) return false
    at += word.length
    return true
  }

  /** Undefined: no value there, or not whole. */
  function value(depth: number): unknown {
    if (depth > deepest) return undefined
    if (take(quote)) return upTo(quote)
    space()
    if (text[at] === '"') return jsonText()
    if (text[at] === "'") return quotedText() ?? word()
    if (take('{')) return object(depth)
    if (take('[')) return list(depth)
    return word()
  }

  function word(): unknown {
    const found = /^[^,{}[\]:<]+/.exec(text.slice(at, at + 400))?.[0] ?? ''
    at += found.length
    return plain(found.trim())
  }

  /** A text between Python's quotes, to which models fall back, too. */
  function quotedText(): string | undefined {
    const found = /^'([^'\\\n]*)'(?=\s*[,}\]])/.exec(text.slice(at))
    at += found?.[0].length ?? 0
    return found?.[1]
  }

  function upTo(end: string): string | undefined {
    const found = text.indexOf(end, at)
    if (found === -1) return undefined
    const inner = text.slice(at, found)
    at = found + end.length
    return inner
  }

  function jsonText(): string | undefined {
    let end = at + 1
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    const written = text.slice(at, end + 1)
    at = end + 1
    try {
      const read: unknown = JSON.parse(written)
      return typeof read === 'string' ? read : undefined
    } catch {
      // Not a whole JSON string.
      return undefined
    }
  }

  function object(depth: number): Record<string, unknown> | undefined {
    const fields: Record<string, unknown> = Object.create(null)
    if (take('}')) return { ...fields }
    for (;;) {
      space()
      const key = take(quote) ? upTo(quote) : text[at] === '"' ? jsonText() : (keyText() ?? bareKey())
      if (key === undefined || key === '' || !take(':') || Object.hasOwn(fields, key)) return undefined
      const read = value(depth + 1)
      if (read === undefined) return undefined
      fields[key] = read
      const more = take(',')
      if (take('}')) return { ...fields }
      if (!more) return undefined
    }
  }

  function keyText(): string | undefined {
    const found = /^'([\w.$-]{1,200})'/.exec(text.slice(at, at + 202))
    at += found?.[0].length ?? 0
    return found?.[1]
  }

  function bareKey(): string | undefined {
    const key = /^[\w.$-]{1,200}/.exec(text.slice(at, at + 200))?.[0]
    at += key?.length ?? 0
    return key
  }

  function list(depth: number): unknown[] | undefined {
    const items: unknown[] = []
    if (take(']')) return items
    for (;;) {
      const read = value(depth + 1)
      if (read === undefined) return undefined
      items.push(read)
      const more = take(',')
      if (take(']')) return items
      if (!more) return undefined
    }
  }

  return { value, rest: () => text.slice(at) }
}

function plain(word: string): unknown {
  if (/^(?:true|True)$/.test(word)) return true
  if (/^(?:false|False)$/.test(word)) return false
  if (/^(?:null|None)$/.test(word)) return null
  if (/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)) return Number(word)
  return word === '' ? undefined : word
}
