/** GBNF in tests: what a grammar says at random, and whether it says a text. Written apart from what writes grammars. */

type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'set'; readonly not: boolean; readonly has: (code: number) => boolean; readonly some: number[] }
  | { readonly type: 'rule'; readonly name: string }
  | { readonly type: 'all'; readonly parts: readonly Node[] }
  | { readonly type: 'any'; readonly parts: readonly Node[] }
  | { readonly type: 'many'; readonly part: Node; readonly least: number; readonly most: number }

export type Gbnf = ReadonlyMap<string, Node>

export function readGbnf(source: string): Gbnf {
  const rules = new Map<string, Node>()
  for (const line of source.split('\n').filter(Boolean)) {
    const [, name, body] = /^([A-Za-z0-9-]+) ::= (.*)$/.exec(line) ?? []
    if (name === undefined || body === undefined) throw new Error(`no rule: ${line}`)
    rules.set(name, readBody(body))
  }
  return rules
}

function readBody(body: string): Node {
  let at = 0
  const blank = (): void => {
    while (body[at] === ' ') at += 1
  }
  const character = (): string => {
    const letter = String.fromCodePoint(body.codePointAt(at) ?? 0)
    at += letter.length
    if (letter !== '\\') return letter
    const mark = body[at] ?? ''
    at += 1
    if (mark === 'x') {
      at += 2
      return String.fromCharCode(Number.parseInt(body.slice(at - 2, at), 16))
    }
    return { n: '\n', r: '\r', t: '\t' }[mark] ?? mark
  }
  const either = (): Node => {
    const parts = [row()]
    while (body[at] === '|') {
      at += 1
      parts.push(row())
    }
    return { type: 'any', parts }
  }
  const row = (): Node => {
    const parts: Node[] = []
    for (blank(); at < body.length && body[at] !== '|' && body[at] !== ')'; blank()) parts.push(counted(one()))
    return { type: 'all', parts }
  }
  const counted = (part: Node): Node => {
    const [found, least, most] = /^(?:[*+?]|\{(\d+),(\d+)\})/.exec(body.slice(at)) ?? []
    if (found === undefined) return part
    at += found.length
    if (least !== undefined) return { type: 'many', part, least: Number(least), most: Number(most) }
    const endless = Number.POSITIVE_INFINITY
    return { type: 'many', part, least: found === '+' ? 1 : 0, most: found === '?' ? 1 : endless }
  }
  const one = (): Node => {
    if (body[at] === '"') {
      at += 1
      let text = ''
      while (body[at] !== '"') text += character()
      at += 1
      return { type: 'text', text }
    }
    if (body[at] === '[') return set()
    if (body[at] === '(') {
      at += 1
      const inner = either()
      at += 1
      return inner
    }
    const name = /^[A-Za-z0-9-]+/.exec(body.slice(at))?.[0]
    if (name === undefined) throw new Error(`cannot read ${body.slice(at, at + 40)}`)
    at += name.length
    return { type: 'rule', name }
  }
  const set = (): Node => {
    at += 1
    const not = body[at] === '^'
    if (not) at += 1
    const ranges: [number, number][] = []
    while (body[at] !== ']') {
      const from = character().codePointAt(0) ?? 0
      let to = from
      if (body[at] === '-' && body[at + 1] !== ']') {
        at += 1
        to = character().codePointAt(0) ?? 0
      }
      ranges.push([from, to])
    }
    at += 1
    const has = (code: number) => ranges.some(([from, to]) => code >= from && code <= to) !== not
    return { type: 'set', not, has, some: ranges.map(([from]) => from) }
  }
  const whole = either()
  if (at < body.length) throw new Error(`cannot read ${body.slice(at)}`)
  return whole
}

/** Something that the grammar says; `choose` gives a whole number below its argument. */
export function sayGbnf(rules: Gbnf, root: string, choose: (below: number) => number): string {
  const letters = 'aé<>/|｜"\'\\{}[]:,\n .DSML🐋pt'
  let budget = 400
  const costs = costsOf(rules)
  const costOf = (node: Node): number => cost(node, costs)
  const say = (node: Node): string => {
    budget -= 1
    switch (node.type) {
      case 'text':
        return node.text
      case 'set': {
        const usual = [...letters].filter((letter) => node.has(letter.codePointAt(0) ?? 0))
        if (!node.not || usual.length === 0) return String.fromCodePoint(node.some[choose(node.some.length)] ?? 0)
        return usual[choose(usual.length)] ?? ''
      }
      case 'rule':
        return say(rules.get(node.name) ?? { type: 'text', text: `<no rule ${node.name}>` })
      case 'all':
        return node.parts.map(say).join('')
      case 'any': {
        const chosen = node.parts[choose(node.parts.length)]
        // When it gets long, the shortest way to the end.
        const part = budget > 0 ? chosen : node.parts.toSorted((a, b) => costOf(a) - costOf(b))[0]
        return part === undefined ? '' : say(part)
      }
      case 'many': {
        let text = ''
        let count = 0
        while (count < node.least || (count < node.most && budget > 0 && choose(3) > 0)) {
          text += say(node.part)
          count += 1
        }
        return text
      }
    }
  }
  return say(rules.get(root) ?? { type: 'text', text: '<no root>' })
}

/** How long at least what a rule says is. */
function costsOf(rules: Gbnf): ReadonlyMap<string, number> {
  const costs = new Map<string, number>()
  for (let changed = true; changed; ) {
    changed = false
    for (const [name, body] of rules) {
      const now = cost(body, costs)
      if (now < (costs.get(name) ?? Number.POSITIVE_INFINITY)) {
        costs.set(name, now)
        changed = true
      }
    }
  }
  return costs
}

function cost(node: Node, costs: ReadonlyMap<string, number>): number {
  switch (node.type) {
    case 'text':
      return node.text.length
    case 'set':
      return 1
    case 'rule':
      return costs.get(node.name) ?? Number.POSITIVE_INFINITY
    case 'all':
      return node.parts.reduce((sum, part) => sum + cost(part, costs), 0)
    case 'any':
      return Math.min(...node.parts.map((part) => cost(part, costs)))
    case 'many':
      return node.least === 0 ? 0 : node.least * cost(node.part, costs)
  }
}

/** Lengths of the beginnings of a text that the grammar says whole. */
export function readsOf(rules: Gbnf, root: string, text: string): ReadonlySet<number> {
  const known = new Map<string, ReadonlySet<number>>()
  const read = (node: Node, from: number): ReadonlySet<number> => {
    switch (node.type) {
      case 'text':
        return new Set(text.startsWith(node.text, from) ? [from + node.text.length] : [])
      case 'set': {
        const code = text.codePointAt(from)
        return new Set(code !== undefined && node.has(code) ? [from + String.fromCodePoint(code).length] : [])
      }
      case 'rule': {
        const key = `${node.name} ${from}`
        const before = known.get(key)
        if (before !== undefined) return before
        const body = rules.get(node.name)
        if (body === undefined) throw new Error(`no rule ${node.name}`)
        const found = read(body, from)
        known.set(key, found)
        return found
      }
      case 'all': {
        let places = new Set([from])
        for (const part of node.parts) places = union([...places].map((at) => read(part, at)))
        return places
      }
      case 'any':
        return union(node.parts.map((part) => read(part, from)))
      case 'many': {
        const all = new Set<number>(node.least === 0 ? [from] : [])
        let places: ReadonlySet<number> = new Set([from])
        for (let count = 1; count <= node.most && places.size > 0; count += 1) {
          const next = union([...places].map((at) => read(node.part, at)))
          places = new Set([...next].filter((at) => !all.has(at)))
          if (count >= node.least) for (const at of places) all.add(at)
        }
        return all
      }
    }
  }
  return read({ type: 'rule', name: root }, 0)
}

const union = (sets: readonly ReadonlySet<number>[]): Set<number> => new Set(sets.flatMap((set) => [...set]))
