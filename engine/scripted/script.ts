/** Scripts of replies: data in a JSON file, for tests of the loop and end-to-end runs without a model. */
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Message } from '../messages.ts'
import type { ModelFailure } from '../model.ts'

const failureKinds = [
  'engine-died',
  'out-of-memory',
  'context-full',
  'unreachable',
  'refused',
  'timeout',
  'bad-reply',
  'internal',
] as const satisfies readonly ModelFailure['kind'][]

const replySchema = z.strictObject({
  reasoning: z.string().optional(),
  text: z.string().optional(),
  calls: z.array(z.strictObject({ name: z.string(), arguments: z.unknown() })).optional(),
  malformed: z.union([z.string(), z.strictObject({ text: z.string(), problem: z.string() })]).optional(),
  stop: z.enum(['end', 'length']).optional(),
  failure: z
    .strictObject({
      kind: z.enum(failureKinds),
      message: z.string().optional(),
      retryable: z.boolean().optional(),
    })
    .optional(),
  raw: z.string().optional(),
  dialect: z.string().optional(),
  delayMs: z.number().min(0).optional(),
  chunkMs: z.number().min(0).optional(),
})

const scriptSchema = z.strictObject({
  name: z.string().min(1).optional(),
  dialect: z.string().optional(),
  contextTokens: z.int().positive().optional(),
  finishes: z.enum(['words', 'edits']).optional(),
  prompt: z.enum(['full', 'small']).optional(),
  replies: z.array(replySchema),
})

/** One reply: reasoning, then text, then `raw` through a dialect's parser, then calls, then malformed, then the end. */
export interface ScriptedReply {
  readonly reasoning?: string
  readonly text?: string
  readonly calls?: readonly { readonly name: string; readonly arguments?: unknown }[]
  /** A text that could not be read as a call; the long form also gives the problem told to the model. */
  readonly malformed?: string | { readonly text: string; readonly problem: string }
  /** Default `end`. */
  readonly stop?: 'end' | 'length'
  /** The reply ends in an error instead; what came before it was streamed but is not in the session. */
  readonly failure?: { readonly kind: ModelFailure['kind']; readonly message?: string; readonly retryable?: boolean }
  /** Text as a model would write it, read by the parser of `dialect` (else of the script's dialect). */
  readonly raw?: string
  readonly dialect?: string
  /** Milliseconds of silence before the reply, and between its chunks. */
  readonly delayMs?: number
  readonly chunkMs?: number
}

/** A whole script; what it says of the model besides the replies goes into `ModelInfo`. */
export interface Script {
  readonly name?: string
  /** The dialect that reads `raw` replies. */
  readonly dialect?: string
  readonly contextTokens?: number
  readonly finishes?: 'words' | 'edits'
  readonly prompt?: 'full' | 'small'
  readonly replies: readonly ScriptedReply[]
}

/** A script as a program: asked with every message of the session and how many replies were asked for before. */
export type ReplyFunction = (
  messages: readonly Message[],
  index: number,
) => ScriptedReply | undefined | Promise<ScriptedReply | undefined>

/** A script file that is missing, not JSON or not a script. `message` names the file, the place in it and the fix. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
}

/** Reads a script: a JSON object `{replies: […], …}` or just the list of replies. Throws ScriptError. */
export async function loadScript(file: string): Promise<Script> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new ScriptError(`Cannot read the script ${file}: ${String(error)}. Give the path of an existing JSON file.`)
  }
  return parseScript(text, file)
}

/** The same on a text; `source` is named in errors. */
export function parseScript(text: string, source: string): Script {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ScriptError(`The script ${source} is not JSON: ${String(error)}`)
  }
  const parsed = scriptSchema.safeParse(Array.isArray(value) ? { replies: value } : value)
  if (parsed.success) return parsed.data
  throw new ScriptError(
    `The script ${source} is not a list of replies or {"replies": [...]}:\n${z.prettifyError(parsed.error)}`,
  )
}
