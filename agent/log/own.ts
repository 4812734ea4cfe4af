/** The log of a session that is being opened: a new one, or an earlier one that is gone on with. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelInfo } from '../../engine/index.ts'
import { LogError, logFormat } from './format.ts'
import { newId } from './id.ts'
import { type LoadedLog, loadLog } from './load.ts'
import { type LogWriter, openLog } from './write.ts'

export interface OwnLog {
  readonly id: string
  readonly log: LogWriter
  /** The earlier session; undefined for a new one. */
  readonly loaded: LoadedLog | undefined
  /** What the user has to know of the log. */
  readonly warning: string | undefined
}

interface OwnLogRequest {
  readonly model: ModelInfo
  readonly stateFolder: string
  /** Absolute path of the work tree. */
  readonly root: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** Path of the log to go on with. */
  readonly resume: string | undefined
}

/**
 * Opens it. A log that is broken is gone on with from before the break, and kept whole beside it. Throws LogError, also
 * when the earlier session was held with another model or another effort.
 */
export async function openOwnLog({ model, stateFolder, root, nowMs, resume }: OwnLogRequest): Promise<OwnLog> {
  const { name, place, dialect, effort } = model
  if (resume === undefined) {
    const id = newId(nowMs)
    const file = join(stateFolder, 'sessions', `${id}.jsonl`)
    const time = new Date(nowMs).toISOString()
    const of = { name, place, dialect, ...(effort !== undefined && { effort }) }
    const header = { type: 'header', format: logFormat, id, cwd: root, time, model: of } as const
    return { id, log: await openLog(file, { header }), loaded: undefined, warning: undefined }
  }
  const loaded = await loadLog(resume)
  const { header, wholeBytes, visible, tip, broken } = loaded
  if (header.model.name !== name || header.model.dialect !== dialect) {
    // Sampled tokens mean nothing to another vocabulary.
    throw new LogError(
      `The session ${header.id} was held with ${header.model.name} (${header.model.dialect}), not with ${name} (${dialect}). Choose that model with --model ${header.model.name}.`,
    )
  }
  const began = header.model.effort
  if (began !== undefined && began !== effort) {
    throw new LogError(
      `The session ${header.id} was begun with effort ${began}, which is part of what the model has read. Leave --effort away, or say --effort ${began}; another one takes a new session.`,
    )
  }
  const warning =
    broken === undefined ? undefined : `${broken} The session goes on from there; ${await aside(resume, nowMs)}`
  return { id: header.id, log: await openLog(resume, { keepBytes: wholeBytes, visible, tip }), loaded, warning }
}

/** Before the broken end is cut off: nothing that somebody may want to look at is lost. */
async function aside(file: string, nowMs: number): Promise<string> {
  const copy = `${file}.broken-${nowMs}`
  try {
    await copyFile(file, copy)
  } catch (error) {
    throw new LogError(
      `The session log ${file} is broken and cannot be put aside: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  return `the whole file was kept as ${copy}.`
}
