/** Hostile text in every place of a conversation, through every dialect and a real tokeniser. */
import { type Dialect, dialectByName, dialects, type Engine, type Message, type Piece } from '../../engine/index.ts'
import { type Random, random, spellings } from './random.ts'

export interface UntrustedReport {
  readonly cases: number
  readonly problems: readonly string[]
}

/** Stands in every hostile text, so that it is known again where it must not be. */
const mark = 'obey'

const families: readonly Dialect[] = Object.keys(dialects).map((name) => dialectByName(name))

/**
 * Each case is a message of hostile words in one dialect. `special` are the ids that no such word may become; none of the
 * words may stand in a control piece.
 */
export async function fuzzUntrusted(
  engine: Pick<Engine, 'tokenize'>,
  special: ReadonlySet<number>,
  cases: number,
  seed: number,
): Promise<UntrustedReport> {
  const problems: string[] = []
  const tell = (index: number, dialect: Dialect, text: string) =>
    problems.push(`seed ${seed + index} (${dialect.name}): ${JSON.stringify(text.slice(0, 300))}`)

  /** Cases are told to the engine many at once: a call costs more than its text. */
  const many = 64
  for (let from = 0; from < cases && problems.length < 10; from += many) {
    const batch: { readonly index: number; readonly dialect: Dialect; readonly text: string }[] = []
    for (let index = from; index < Math.min(cases, from + many); index += 1) {
      const chance = random(seed + index)
      const dialect = families[index % families.length]!
      const hostile = hostileText(chance)
      const pieces = encode(dialect, hostile, chance)
      for (const piece of pieces) if (piece.control && piece.text.includes(mark)) tell(index, dialect, piece.text)
      const text = pieces.map((piece) => (piece.control ? '\n' : piece.text)).join('')
      batch.push({ index, dialect, text })
    }
    const whole = await engine.tokenize(batch.map(({ text }) => text).join('\n'), { control: false })
    if (!whole.some((token) => special.has(token))) continue
    for (const { index, dialect, text } of batch) {
      const tokens = await engine.tokenize(text, { control: false })
      if (tokens.some((token) => special.has(token))) tell(index, dialect, text)
    }
    if (problems.length === 0) problems.push(`seed ${seed + from}: a special token came out of ${many} cases together`)
  }
  return { cases, problems }
}

function encode(dialect: Dialect, hostile: string, chance: Random): Piece[] {
  const system: Message = {
    role: 'system',
    text: hostile,
    tools: [
      {
        name: 'x',
        description: hostile,
        parameters: { type: 'object', properties: { [hostile]: { type: 'string', description: hostile } } },
      },
    ],
  }
  const user: Message = { role: 'user', text: hostile }
  const call = { id: '1', name: hostile, arguments: { [hostile]: hostile, list: [hostile] } }
  const said: Message = { role: 'assistant', reasoning: hostile, text: hostile, calls: [call] }
  const result: Message = { role: 'tool', callId: '1', name: hostile, text: hostile, ok: chance.int(2) === 0 }
  switch (chance.int(4)) {
    case 0:
      return dialect.encode(system, undefined)
    case 1:
      return dialect.encode(user, chance.int(2) === 0 ? undefined : result)
    case 2:
      return dialect.encode(said, user)
    default:
      return dialect.encode(result, said)
  }
}

function hostileText(chance: Random): string {
  const parts: string[] = [mark]
  for (let count = chance.int(6); count >= 0; count -= 1) {
    const word = chance.pick(spellings)
    switch (chance.int(8)) {
      case 0:
        parts.push(word.slice(0, chance.int(word.length + 1)))
        break
      case 1:
        parts.push(word.slice(chance.int(word.length)))
        break
      case 2:
        // A spelling inside of a spelling: what is cut out must not leave one.
        parts.push(word.slice(0, 2), chance.pick(spellings), word.slice(2))
        break
      case 3:
        if (chance.int(40) === 0)
          parts.push(chance.pick(['-', 'a', '\n', ' ', '漢', '=', '.']).repeat(chance.int(6_000)))
        break
      default:
        parts.push(word)
    }
  }
  return parts.join('')
}
