/** Earlier sessions, as a person chooses among them; and a copy of one, to go another way from there. */
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chainStart, digestOf, resealed, sealedLine } from './chain.ts'
import { LogError, type LogHeader, logFormat, logRecord } from './format.ts'
import { newId } from './id.ts'
import { readLines } from './lines.ts'

export interface SessionSummary {
  readonly id: string
  /** Absolute path of the log: `resume` of `openSession`. */
  readonly file: string
  /** Absolute path of the work tree. */
  readonly cwd: string
  readonly model: string
  /** What the user asked first; empty where nothing was asked yet. */
  readonly firstInput: string
  /** Milliseconds since the epoch of the first and the last record. */
  readonly beganMs: number
  readonly usedMs: number
}

/** The prefix stands before the first input and may hold a whole repository; farther than this it is not looked for. */
const longestPrefix = 4 << 20
const chunkBytes = 64 << 10

/**
 * Sessions whose logs are in the state folder, last used first; `cwd` gives only those of one work tree. A log that
 * cannot be read is left out. Reads each log only up to its first input.
 */
export async function listSessions(
  stateFolder: string,
  { cwd, most = 200 }: { readonly cwd?: string; readonly most?: number } = {},
): Promise<SessionSummary[]> {
  const folder = join(stateFolder, 'sessions')
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.jsonl'))
  const logs = await Promise.all(
    names.map(async (name) => ({ file: join(folder, name), usedMs: await usedAt(join(folder, name)) })),
  )
  logs.sort((a, b) => b.usedMs - a.usedMs)
  const found: SessionSummary[] = []
  for (const { file, usedMs } of logs) {
    if (found.length >= most) break
    const start = await readStart(file, cwd).catch(() => undefined)
    if (start === undefined) continue
    const { header, firstInput } = start
    const beganMs = Date.parse(header.time)
    found.push({ id: header.id, file, cwd: header.cwd, model: header.model.name, firstInput, beganMs, usedMs })
  }
  return found
}

/** The model that an earlier session was held with; undefined where its log cannot be read. */
export async function modelOfSession(file: string): Promise<LogHeader['model'] | undefined> {
  const start = await readStart(file, undefined).catch(() => undefined)
  return start?.header.model
}

const usedAt = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0, // gone meanwhile
  )

/** Header and first input; undefined when the log is of another work tree than `cwd` or is none. */
async function readStart(
  file: string,
  cwd: string | undefined,
): Promise<{ header: LogHeader; firstInput: string } | undefined> {
  const handle = await open(file)
  try {
    let header: LogHeader | undefined
    let rest = Buffer.alloc(0)
    for (let at = 0; at < longestPrefix; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at)
      if (bytesRead === 0) break
      at += bytesRead
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        const text = rest.toString('utf8', 0, end)
        rest = rest.subarray(end + 1)
        if (header === undefined) {
          const record = logRecord.parse(JSON.parse(text))
          if (record.type !== 'header' || (cwd !== undefined && record.cwd !== cwd)) return undefined
          header = record
        } else if (text.startsWith('{"type":"input"')) {
          const record = logRecord.parse(JSON.parse(text))
          return { header, firstInput: record.type === 'input' ? record.text : '' }
        }
      }
    }
    return header === undefined ? undefined : { header, firstInput: '' }
  } finally {
    await handle.close()
  }
}

/**
 * Copies a log under a new id and gives the copy's path: what is said in the one from now on is not said in the
 * other. The model, resumed on it, continues with exactly the tokens it had. Throws LogError.
 */
export async function forkSession(file: string): Promise<{ readonly id: string; readonly file: string }> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new LogError(`Cannot read the session log ${file}: ${error instanceof Error ? error.message : String(error)}`)
  })
  const lines = bytes
    .toString('utf8', 0, bytes.lastIndexOf(0x0a) + 1)
    .split('\n')
    .slice(0, -1)
  const {
    records: [header],
    broken,
  } = readLines(file, bytes)
  if (header?.type !== 'header') throw new LogError(`${file} is not a session log.`)
  const id = newId(Date.now())
  const copy = join(file, '..', `${id}.jsonl`)
  if (broken !== undefined) throw new LogError(`${broken} Resume it first: that puts the rest aside.`)
  // Another header is another first link: the chain is made anew.
  let tip = chainStart
  const sealed = lines.map((line, index) => {
    const again = index === 0 ? sealedLine({ ...header, format: logFormat, id }, tip) : resealed(line, tip)
    tip = digestOf(again)
    return `${again}\n`
  })
  await writeFile(copy, sealed.join(''), { mode: 0o600, flag: 'wx' })
  return { id, file: copy }
}
