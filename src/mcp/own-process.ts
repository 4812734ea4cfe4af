/** One of our own commands, run for another program: a process of its own, ended when nobody waits for it any more. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface OwnProcess {
  /** The words after the program's name. */
  readonly words: readonly string[]
  readonly stdin?: string
  readonly signal: AbortSignal
  /** Each line of stdout that is a JSON object. */
  readonly onEvent?: (event: Readonly<Record<string, unknown>>) => void
}

export interface OwnResult {
  readonly exitCode: number
  /** What was no JSON on stdout, then stderr; the last part of it. */
  readonly text: string
  /** The last JSON object. */
  readonly last: Readonly<Record<string, unknown>> | undefined
}

const longestText = 20_000
/** Time to end after it was asked to. */
const graceMs = 2000

/** Rejects only when no process can be started. */
export async function runOwn({ words, stdin = '', signal, onEvent }: OwnProcess): Promise<OwnResult> {
  const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  let last: OwnResult['last']
  const keep = (more: string): void => {
    text = `${text}${more}`.slice(-longestText)
  }
  let late: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGINT')
    late = setTimeout(() => child.kill('SIGKILL'), graceMs)
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  child.stdin.on('error', () => undefined) // it ended without reading: its exit code says why
  child.stdin.end(stdin)
  child.stderr.setEncoding('utf8').on('data', keep)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = asObject(line)
    if (event === undefined) return keep(`${line}\n`)
    last = event
    onEvent?.(event)
  })
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? 1))
    })
    return { exitCode, text: text.trim(), last }
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', stop)
  }
}

function asObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return undefined // words that begin with a brace
  }
}
