/** `cachalot serve`: the embedded model for other programs of this machine. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exitCode } from '../../agent/index.ts'
import type { Model } from '../../engine/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { openModel } from '../open/model.ts'
import { OpenError } from '../open/open-error.ts'
import { resolvePaths } from '../paths.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'
import { modelServer, servedName } from './server.ts'

/** Port where the user names none. */
export const usualPort = 8417
/** Conversations whose readings stay in memory while others are answered. */
const keptSequences = 4

export interface ServeFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
  readonly port?: string
  readonly token?: string
  readonly parallel?: string
  readonly json?: boolean
}

/** Serves until it is told to end. Gives the exit code: 0 ended, 3 model or engine. Throws UsageError. */
export async function serveCommand(flags: ServeFlags): Promise<number> {
  const port = wholeNumber('--port', flags.port ?? String(usualPort), 0, 65_535)
  const parallel = wholeNumber('--parallel', flags.parallel ?? '1', 1, 16)
  const token = tokenOf(flags.token ?? process.env['CACHALOT_SERVE_TOKEN'])
  const { config, warnings } = resolveConfig({
    cwd: workTree(flags.cwd),
    paths: resolvePaths(),
    environment: process.env,
    flags,
  })
  if (config.baseUrl !== undefined || config.preset !== undefined) {
    throw new UsageError('serve offers the embedded model; other programs can use the endpoint themselves')
  }
  const { stdout, stderr } = process
  const screen = openScreen({ stdout, stderr, environment: process.env, color: true, progress: flags.json !== true })
  const tell = (text: string): void => void process.stderr.write(`cachalot: ${sanitizeLine(text)}\n`)
  for (const warning of warnings) tell(warning)
  const stop = stopOnSignals()
  let model: Model | undefined
  try {
    model = await openModel({
      config,
      paths: resolvePaths(),
      signal: stop.signal,
      mayAsk: process.stdin.isTTY === true && process.stderr.isTTY === true && flags.json !== true,
      animated: process.stderr.isTTY === true,
      onStatus: (text) => screen.status(text),
      onNotice: (_, text) => tell(text),
      keepSequences: keptSequences,
      parallel,
    })
    const server = modelServer({ model, token, parallel, signal: stop.signal })
    const url = await listen(server, port)
    announce(flags, { url, model: servedName(model), token, given: flags.token !== undefined })
    await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
    await close(server)
    return exitCode.done
  } catch (error) {
    if (stop.signal.aborted) return exitCode.done
    if (!(error instanceof OpenError)) throw error
    tell(error.message)
    return exitCode[error.exit]
  } finally {
    await model?.close()
    stop.dispose()
  }
}

/** On loopback only. Throws UsageError when the port is taken. */
async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new UsageError(`port ${port} is in use. Choose another with --port, or --port 0 for a free one`)
          : new UsageError(`port ${port}: ${error.message}`),
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Lets answers that are being cut say so, for a moment. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), 100)
  await closed
  clearTimeout(late)
}

function announce(
  { json }: ServeFlags,
  { url, model, token, given }: { url: string; model: string; token: string; given: boolean },
): void {
  if (json === true) return void process.stdout.write(`${safeJson({ type: 'listening', url, model, token })}\n`)
  const lines = [
    `${sanitizeLine(model)} is served at ${url} (Ctrl-C ends it)`,
    ...(given ? [] : [`token: ${token}`]),
    '',
    `OpenAI      base URL ${url}/v1      chat/completions, responses`,
    `Anthropic   base URL ${url}         v1/messages`,
    `            model    ${sanitizeLine(model)}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function tokenOf(given: string | undefined): string {
  if (given === undefined) return randomBytes(24).toString('base64url')
  if (/^[\x21-\x7e]{8,200}$/.test(given)) return given
  throw new UsageError('--token: at least 8 characters, none of them a space')
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most && text.trim() !== '') return value
  throw new UsageError(`${flag}: a whole number from ${least} to ${most} (it is ${text})`)
}
