/** Appends to a session log. */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { chainStart, digestOf, sealedLine } from './chain.ts'
import { LogError, type LogRecord, type Placed } from './format.ts'

/** The chain of digests over everything that the model sees; equal chains mean equal conversations. */
export function chain(previous: string, { segment, message }: Placed): string {
  return createHash('sha256').update(previous).update(JSON.stringify({ segment, message })).digest('hex')
}

/** What the model sees from now on; see the record of that name. */
export interface Rebuild {
  readonly why: 'paged' | 'summarised' | 'rebased'
  readonly messages: readonly Placed[]
  readonly pages: readonly { readonly id: string; readonly text: string }[]
  /** Files that are not in front of the model any more. */
  readonly gone: readonly string[]
}

export interface LogWriter {
  readonly file: string
  /** `chain` over the `message` records written so far. */
  readonly visible: string
  /** Writes records that the model does not see. Not synced: a power cut may lose them, a `kill -9` does not. */
  note(...records: Exclude<LogRecord, { type: 'message' | 'header' | 'rewind' | 'rebuild' }>[]): Promise<void>
  /** Writes messages and waits until they are on the disk. */
  messages(placed: readonly Placed[]): Promise<void>
  /** Takes the messages after the place where `visible` was `to` out of what the model sees. On the disk when it returns. */
  rewind(to: string): Promise<void>
  /** From here on the model sees exactly these messages. On the disk when it returns. */
  rebuild(to: Rebuild): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a log for appending; makes it (0600) and its folder (0700) when missing. `keepBytes` cuts what a crash left
 * after the last whole line; `visible` and `tip` continue the chains of a loaded log. Throws LogError.
 */
export async function openLog(
  file: string,
  start:
    | { readonly header: Extract<LogRecord, { type: 'header' }> }
    | { readonly keepBytes: number; readonly visible: string; readonly tip: string },
): Promise<LogWriter> {
  const failed = (error: unknown): never => {
    if (error instanceof LogError) throw error
    throw new LogError(
      `Cannot write the session log ${file}: ${error instanceof Error ? error.message : String(error)}. Free space or permissions there, or set XDG_STATE_HOME to another folder.`,
      { cause: error },
    )
  }
  const handle = await openFile(file, 'header' in start).catch(failed)
  let visible = 'keepBytes' in start ? start.visible : ''
  let tip = 'keepBytes' in start ? start.tip : chainStart
  /** Bytes that are ours. */
  let size = 'keepBytes' in start ? start.keepBytes : 0
  let last: Promise<void> = Promise.resolve()

  /** One write a batch, so that lines stay whole; batches in order, also when callers do not wait. */
  const write = (records: readonly LogRecord[], sync: boolean): Promise<void> => {
    let text = ''
    for (const record of records) {
      const line = sealedLine(record, tip)
      tip = digestOf(line)
      text += `${line}\n`
    }
    const lines = Buffer.from(text)
    last = last.then(async () => {
      // Two that write one conversation would make one that nobody had.
      if ((await handle.stat()).size !== size) {
        throw new LogError(
          `Another Cachalot has gone on with this session (${file}). End one of the two; a copy of it is made with /fork.`,
        )
      }
      for (let at = 0; at < lines.length; ) at += (await handle.write(lines, at)).bytesWritten
      size += lines.length
      if (sync) await handle.datasync()
    })
    return last.catch(failed)
  }

  if ('header' in start) await write([start.header], false)
  else await handle.truncate(start.keepBytes).catch(failed)

  return {
    file,
    get visible() {
      return visible
    },
    note: (...records) => write(records, false),
    messages: async (placed) => {
      await write(
        placed.map((one) => ({ type: 'message', segment: one.segment, message: structured(one.message) })),
        true,
      )
      for (const one of placed) visible = chain(visible, one)
    },
    rewind: async (to) => {
      await write([{ type: 'rewind', to }], true)
      visible = to
    },
    rebuild: async ({ why, messages, pages, gone }) => {
      const placed = messages.map(({ segment, message }) => ({ segment, message: structured(message) }))
      await write([{ type: 'rebuild', why, messages: placed, pages: [...pages], gone: [...gone] }], true)
      visible = messages.reduce(chain, '')
    },
    close: async () => {
      // A failed write was reported to the one who asked for it; closing has nothing to add.
      await last.catch(() => undefined)
      await handle.close()
    },
  }
}

async function openFile(file: string, fresh: boolean): Promise<FileHandle> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  return await open(file, fresh ? 'ax' : 'a', 0o600)
}

/** The same message with the mutable arrays that the schema's type has. */
function structured(message: Placed['message']): Extract<LogRecord, { type: 'message' }>['message'] {
  switch (message.role) {
    case 'system':
      return { ...message, tools: message.tools.map((tool) => ({ ...tool })) }
    case 'assistant':
      return { ...message, calls: [...message.calls], sampled: message.sampled && [...message.sampled] }
    case 'user':
      return { ...message, pictures: message.pictures?.map((picture) => ({ ...picture })) }
    case 'tool':
      return { ...message }
  }
}
