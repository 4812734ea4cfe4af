/**
 * The engine host: a child process that holds the model, so that a crash in native code, or the out-of-memory killer,
 * ends the engine and not the session. Speaks protocol.ts over IPC; its stdout and stderr are the library's log.
 */
import { type FromHost, protocolVersion, type ToHost } from './protocol.ts'

/** At once, whatever native threads are doing: nothing here needs to be put away. */
const end = () => process.kill(process.pid, 'SIGKILL')

// The parent decides when we end; Ctrl-C in the terminal is its business. Without the parent there is no reason to be.
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
process.on('disconnect', end)

if (!process.send) {
  process.stderr.write('This is the engine host of cachalot; it is started by cachalot itself.\n')
  process.exit(2)
}

const send = (message: FromHost): void => {
  // A channel that closes while we send means the parent is gone: `disconnect` follows.
  process.send?.(message, undefined, undefined, () => undefined)
}

// Loaded late, so that a missing native part is an answer and not a silent end.
const serving = import('./serve.ts').then(({ serve }) => serve(send))
process.on('message', (message: ToHost) => {
  serving.then(
    (handle) => handle(message),
    (error: unknown) => {
      if (message.type !== 'request') return
      const why = error instanceof Error ? error.message : String(error)
      const failure = {
        kind: 'library-missing' as const,
        message: `the engine's native part does not load: ${why}. Run: npm ci`,
      }
      send({ type: 'failure', id: message.id, failure })
    },
  )
})
send({ type: 'hello', protocol: protocolVersion })
