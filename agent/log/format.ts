/**
 * The session log: one JSON record a line (JSONL), only ever appended to. The first line is the header. What the model
 * sees is the `message` records in order, nothing else; the other records are for people and tools.
 */
import * as z from 'zod'
import type { Message, Segment } from '../../engine/index.ts'

/** Raised when a reader of older logs would misread a new one. 2: each line carries the digest of the one before, see chain.ts. */
export const logFormat = 2

const jsonObject = z.record(z.string(), z.unknown())
const call = z.object({ id: z.string(), name: z.string(), arguments: z.unknown() })

const message = z.discriminatedUnion('role', [
  z.object({
    role: z.literal('system'),
    text: z.string(),
    tools: z.array(z.object({ name: z.string(), description: z.string(), parameters: jsonObject })),
  }),
  z.object({
    role: z.literal('user'),
    text: z.string(),
    pictures: z
      .array(
        z.object({
          file: z.string(),
          mediaType: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']),
          sha256: z.string(),
        }),
      )
      .optional(),
  }),
  z.object({
    role: z.literal('assistant'),
    reasoning: z.string(),
    text: z.string(),
    calls: z.array(call),
    sampled: z.array(z.int().nonnegative()).optional(),
    raw: z.string().optional(),
  }),
  z.object({ role: z.literal('tool'), callId: z.string(), name: z.string(), text: z.string(), ok: z.boolean() }),
])

const segmentName = z.enum(['system', 'repository', 'instructions', 'conversation'])

/** One file that was put in front of the model whole, by the `fingerprint` (tools) of the bytes it was shown. */
const shownFile = z.object({ path: z.string(), fingerprint: z.string() })

export const logRecord = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('header'),
    format: z.literal([1, logFormat]),
    id: z.string(),
    /** Absolute path of the work tree. */
    cwd: z.string(),
    /** ISO 8601, UTC. */
    time: z.string(),
    model: z.object({
      name: z.string(),
      place: z.string(),
      dialect: z.string(),
      effort: z.enum(['off', 'low', 'high', 'max']).optional(),
    }),
  }),
  /** Something the model sees. Written, and on the disk, before the model is given it. */
  z.object({ type: z.literal('message'), segment: segmentName, message }),
  /** The model was taken back: it sees the messages up to where the chain of digests (see write.ts) was `to`, no later ones. */
  z.object({ type: z.literal('rewind'), to: z.string() }),
  /**
   * From here on the model sees exactly these messages, and no earlier ones: `paged` out (the texts are in `pages`, for
   * `recall`), `summarised`, or `rebased` on the files as they are now.
   */
  z.object({
    type: z.literal('rebuild'),
    why: z.enum(['paged', 'summarised', 'rebased']),
    messages: z.array(z.object({ segment: segmentName, message })),
    pages: z.array(z.object({ id: z.string(), text: z.string() })),
    /** Files that are not in front of the model any more. */
    gone: z.array(z.string()),
  }),
  z.object({ type: z.literal('files'), files: z.array(shownFile) }),
  /** What a person typed, before files were packed around it. */
  z.object({ type: z.literal('input'), time: z.string(), text: z.string() }),
  /** What a person said while the model worked. The model has it as a message of its own. */
  z.object({ type: z.literal('steer'), time: z.string(), text: z.string() }),
  z.object({
    type: z.literal('tool-result'),
    callId: z.string(),
    /** ISO 8601, UTC: when it ended. */
    time: z.string().optional(),
    seconds: z.number(),
    details: jsonObject,
  }),
  /** What was decided about a call that needed a yes: see the event of the same name. */
  z.object({
    type: z.literal('approval'),
    callId: z.string(),
    time: z.string(),
    allowed: z.boolean(),
    by: z.enum(['person', 'nobody', 'rule']),
    reason: z.string(),
    effects: z.array(jsonObject),
  }),
  z.object({ type: z.literal('usage'), usage: jsonObject }),
  z.object({ type: z.literal('failure'), message: z.string() }),
  z.object({ type: z.literal('result'), time: z.string(), exit: z.string(), text: z.string(), summary: jsonObject }),
])

export type LogRecord = z.infer<typeof logRecord>
export type LogHeader = Extract<LogRecord, { type: 'header' }>
export type ShownFile = z.infer<typeof shownFile>

/** A message with the segment it stands in. */
export interface Placed {
  readonly segment: Segment['name']
  readonly message: Message
}

/** The log cannot be written or read. `message` names the file and the fix. */
export class LogError extends Error {
  override readonly name = 'LogError'
}
