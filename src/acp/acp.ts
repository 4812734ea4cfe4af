/**
 * `cachalot acp`: an agent for editors that speak the Agent Client Protocol (https://agentclientprotocol.com), version 1,
 * over stdin and stdout. Nothing else is written to stdout.
 */
import { Readable, Writable } from 'node:stream'
import * as acp from '@agentclientprotocol/sdk'
import { resolvePaths } from '../paths.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { version } from '../version.ts'
import { openDesk } from './desk.ts'
import { promptText } from './prompt.ts'

/** Serves one editor until it closes the connection. Gives the exit code. */
export async function acpCommand(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const tell = (text: string): void => void process.stderr.write(`cachalot: ${sanitizeLine(text)}\n`)
  const desk = openDesk({ flags, paths: resolvePaths(), environment: process.env, tell })
  const { agent, client } = acp.methods
  const app = acp
    .agent({ name: 'cachalot' })
    .onRequest(agent.initialize, () => ({
      protocolVersion: acp.PROTOCOL_VERSION,
      agentInfo: { name: 'cachalot', title: 'Cachalot', version },
      agentCapabilities: {
        loadSession: true,
        promptCapabilities: { embeddedContext: true, image: false, audio: false },
        mcpCapabilities: { http: false, sse: false },
        sessionCapabilities: { list: {}, close: {} },
      },
      // The model is our own.
      authMethods: [],
    }))
    .onRequest(agent.authenticate, () => ({}))
    .onRequest(agent.session.new, async ({ params }) => {
      const seat = await desk.open(params.cwd)
      return { sessionId: seat.id, modes: seat.modes }
    })
    .onRequest(agent.session.load, async ({ params: { sessionId, cwd }, client: editor }) => {
      const seat = await desk.open(cwd, sessionId)
      for (const update of await seat.earlier()) await editor.notify(client.session.update, { sessionId, update })
      return { modes: seat.modes }
    })
    .onRequest(agent.session.list, async ({ params }) => ({ sessions: await desk.list(params.cwd ?? undefined) }))
    .onRequest(agent.session.close, async ({ params }) => {
      await desk.close(params.sessionId)
      return {}
    })
    .onRequest(agent.session.setMode, ({ params: { sessionId, modeId } }) => {
      desk.seat(sessionId).setMode(modeId)
      return {}
    })
    .onRequest(agent.session.prompt, async ({ params: { sessionId, prompt }, client: editor, signal }) => {
      const seat = desk.seat(sessionId)
      const stopReason = await seat.prompt(promptText(prompt, seat.cwd), {
        signal,
        update: (update) => editor.notify(client.session.update, { sessionId, update }),
        permit: async (request, until) => {
          const asked: acp.RequestPermissionRequest = { sessionId, ...request }
          const { outcome } = await editor.request(client.session.requestPermission, asked, {
            cancellationSignal: until,
          })
          return outcome.outcome === 'selected' ? outcome.optionId : undefined
        },
      })
      return { stopReason }
    })
    .onNotification(agent.session.cancel, ({ params }) => desk.seat(params.sessionId).cancel())

  const stream = acp.ndJsonStream(
    Writable.toWeb(process.stdout),
    Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
  )
  const connection = app.connect(stream)
  const end = (): void => connection.close()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, end)
  await connection.closed
  await desk.end()
  return 0
}
