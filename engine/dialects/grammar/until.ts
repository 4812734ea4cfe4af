/** Text of any kind up to what closes it, for values that know no escape. */
import { literal, type Rules } from './rules.ts'

interface Node {
  readonly text: string
  readonly next: Map<string, Node>
}

/**
 * Gives the rule of a text that holds neither `close` nor one of `never`, and of `close` after it. What has been said of
 * them is followed as Aho and Corasick do, so that only one reading is possible at any place.
 */
export function until(rules: Rules, close: string, never: readonly string[] = []): string {
  return rules.once(`until ${[close, ...never].join(' ')}`, () => followed(rules, close, never))
}

function followed(rules: Rules, close: string, never: readonly string[]): string {
  const root: Node = { text: '', next: new Map() }
  const nodes: Node[] = [root]
  for (const word of [close, ...never]) {
    let node = root
    for (const character of word) {
      let next = node.next.get(character)
      if (next === undefined) {
        next = { text: node.text + character, next: new Map() }
        node.next.set(character, next)
        nodes.push(next)
      }
      node = next
    }
  }
  /** The longest beginning of a word that a text ends with. */
  const reached = (text: string): Node => {
    for (let from = 0; from < text.length; from += 1) {
      const found = nodes.find((node) => node.text === text.slice(from))
      if (found !== undefined) return found
    }
    return root
  }
  const ends = (text: string, word: string): boolean => text.endsWith(word)
  const open = nodes.filter(({ text }) => text !== close && !never.some((word) => ends(text, word)))
  const names = new Map(open.map((node) => [node, rules.reserve('until')]))
  const letters = [...new Set([close, ...never].flatMap((word) => [...word]))]
  for (const node of open) {
    const steps: string[] = []
    const special: string[] = []
    for (const letter of letters) {
      const said = node.text + letter
      const next = reached(said)
      if (next === root) continue
      special.push(letter)
      if (ends(said, close)) steps.push(literal(letter))
      else if (!never.some((word) => ends(said, word))) steps.push(`${literal(letter)} ${names.get(next)}`)
    }
    const others = special.map((letter) =>
      /[\]\\^-]/.test(letter) ? `\\x${letter.charCodeAt(0).toString(16)}` : letter,
    )
    rules.define(names.get(node) ?? '', [...steps, `[^${others.join('')}] ${names.get(root)}`].join(' | '))
  }
  return names.get(root) ?? ''
}
