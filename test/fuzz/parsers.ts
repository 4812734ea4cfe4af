/** Mutated replies through every parser: no crash, no hang, and no call that fails its schema gets through. */
import {
  type AssistantMessage,
  type Dialect,
  dialectByName,
  dialects,
  type Message,
  type ToolSpec,
} from '../../engine/index.ts'
import { allTools, parseCall, toolSchema } from '../../tools/index.ts'
import { type Random, random, spellings } from './random.ts'

export interface FuzzReport {
  readonly cases: number
  /** Calls that the tools took. */
  readonly accepted: number
  /** Calls that they refused, and replies that a parser called malformed. */
  readonly refused: number
  /** The longest that one reply took, in milliseconds of processor time. */
  readonly slowest: number
  /** What must not happen, with the seed that makes it happen again. */
  readonly problems: readonly string[]
}

const schemas = new Map(allTools.map((tool) => [tool.name, toolSchema(tool)]))

const specs: readonly ToolSpec[] = allTools.map(({ name, description }) => ({
  name,
  description,
  parameters: schemas.get(name)!,
}))

const user: Message = { role: 'user', text: 'go' }

const replies: readonly AssistantMessage[] = [
  reply('I look.', [{ name: 'read', arguments: { path: 'a.py', from: 3 } }]),
  reply('', [
    { name: 'write', arguments: { path: 'ü.ts', content: 'const a = "<b>"\n' } },
    { name: 'shell', arguments: { command: 'ls -l | tail\necho "x"', timeout: 5 } },
  ]),
  reply('Done, a < b.', []),
  reply('', [{ name: 'edit', arguments: { path: 'a.py', old: 'x = 1', new: 'x = 2', all: true } }]),
]

function reply(
  text: string,
  calls: readonly { readonly name: string; readonly arguments: unknown }[],
): AssistantMessage {
  return { role: 'assistant', reasoning: 'hm', text, calls: calls.map((call, index) => ({ id: `c${index}`, ...call })) }
}

/** What each dialect makes of the replies, without the frame that the prompt gives. */
const written = new Map<Dialect, readonly string[]>(
  Object.keys(dialects).map((name) => {
    const dialect = dialectByName(name)
    const opened = [...dialect.encode(user, undefined), ...dialect.open(user)].map((piece) => piece.text).join('')
    return [
      dialect,
      replies.map((message) => {
        const whole = [...dialect.encode(user, undefined), ...dialect.encode(message, user)]
        const text = whole.map((piece) => piece.text).join('')
        return text.startsWith(opened)
          ? text.slice(opened.length)
          : text.slice(Math.min(text.length, opened.length / 2))
      }),
    ]
  }),
)

const families = [...written.keys()]

/** One reply takes no longer, in milliseconds of processor time. */
const longest = 1_000

export function fuzzParsers(cases: number, seed: number): FuzzReport {
  const problems: string[] = []
  let accepted = 0
  let refused = 0
  let slowest = 0
  for (let index = 0; index < cases && problems.length < 10; index += 1) {
    const chance = random(seed + index)
    const dialect = families[index % families.length]!
    const text = mutated(chance.pick(written.get(dialect)!), chance)
    const began = process.threadCpuUsage()
    try {
      const parser = dialect.parser({ tools: specs, files: ['a.py'] })
      const events = [...chunksOf(text, chance).flatMap((chunk) => parser.push(chunk)), ...parser.end()]
      for (const event of events) {
        if (event.type === 'malformed') refused += 1
        if (event.type !== 'call') continue
        const parsed = parseCall(allTools, event.call.name, event.call.arguments)
        if (!parsed.ok) refused += 1
        else {
          accepted += 1
          const broken = breaks(parsed.input, schemas.get(parsed.tool.name)!)
          if (broken !== undefined)
            problems.push(`seed ${seed + index} (${dialect.name}): ${event.call.name} ${broken}`)
        }
      }
    } catch (error) {
      problems.push(`seed ${seed + index} (${dialect.name}): ${error instanceof Error ? error.stack : String(error)}`)
    }
    // Of this thread, not of the clock: on a busy machine a test waits.
    const spent = process.threadCpuUsage(began)
    const took = (spent.user + spent.system) / 1000
    slowest = Math.max(slowest, took)
    if (took > longest) problems.push(`seed ${seed + index} (${dialect.name}): ${Math.round(took)} ms`)
  }
  return { cases, accepted, refused, slowest, problems }
}

function mutated(text: string, chance: Random): string {
  let result = text
  for (let count = chance.int(5); count >= 0; count -= 1) {
    const at = chance.int(result.length + 1)
    const to = Math.min(result.length, at + chance.int(30))
    switch (chance.int(7)) {
      case 0:
        result = result.slice(0, at)
        break
      case 1:
        result = result.slice(0, at) + result.slice(to)
        break
      case 2:
        result = result.slice(0, to) + result.slice(at)
        break
      case 3:
        result = result.slice(0, at) + String.fromCharCode(chance.int(0x3000)) + result.slice(at + 1)
        break
      case 4:
        result = result.slice(at) + result.slice(0, at)
        break
      default:
        result = result.slice(0, at) + chance.pick(spellings) + result.slice(at)
    }
  }
  return result
}

function chunksOf(text: string, chance: Random): readonly string[] {
  const at = chance.int(text.length + 1)
  const to = at + chance.int(text.length + 1 - at)
  return [text.slice(0, at), text.slice(at, to), text.slice(to)]
}

/** An independent look at what a tool was to be run with: required, known, of the right type. */
function breaks(input: unknown, schema: ReturnType<typeof toolSchema>): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'is no object'
  const values: Readonly<Record<string, unknown>> = { ...input }
  for (const key of schema.required ?? []) if (values[key] === undefined) return `lacks ${key}`
  for (const [key, value] of Object.entries(values)) {
    const type = schema.properties[key]?.type
    if (!Object.hasOwn(schema.properties, key)) return `has ${key}`
    if (value === undefined || type === undefined) continue
    const is = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
    const fits = type === 'integer' ? Number.isInteger(value) : type === is
    if (!fits) return `has ${key} of type ${is}, not ${type}`
  }
  return undefined
}
