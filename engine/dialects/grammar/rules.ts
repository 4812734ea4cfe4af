/** GBNF, written rule by rule (llama.cpp's grammars/README.md). */

const spelled: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' }

/** A text that has to be said as it is. */
export const literal = (text: string): string => `"${text.replace(/[\n\r\t"\\]/g, (letter) => spelled[letter] ?? '')}"`

export const oneOf = (parts: readonly string[]): string =>
  parts.length === 1 ? `${parts[0]}` : `(${parts.join(' | ')})`

/** A word for a rule's name: other characters mean something. */
const ruleName = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '-')

export interface Rules {
  /** Gives the name of a rule with that body, which begins with `prefix`; equal bodies are one rule. */
  rule(prefix: string, body: string): string
  /** What `make` gives, made once for a key. */
  once(key: string, make: () => string): string
  /** Takes a name for a rule whose body is given later by `define`: for rules that lead back to themselves. */
  reserve(prefix: string): string
  define(name: string, body: string): void
  readonly gbnf: string
}

export function newRules(): Rules {
  const bodies = new Map<string, string>()
  const names = new Map<string, string>()
  const made = new Map<string, string>()
  const reserve = (prefix: string): string => `${ruleName(prefix)}-${names.size + 1}`
  return {
    rule(prefix, body) {
      const known = bodies.get(body)
      if (known !== undefined) return known
      const name = reserve(prefix)
      bodies.set(body, name)
      names.set(name, body)
      return name
    },
    once(key, make) {
      const known = made.get(key) ?? make()
      made.set(key, known)
      return known
    },
    reserve(prefix) {
      const name = reserve(prefix)
      names.set(name, '')
      return name
    },
    define(name, body) {
      names.set(name, body)
    },
    get gbnf() {
      return [...names].map(([name, body]) => `${name} ::= ${body}\n`).join('')
    },
  }
}
