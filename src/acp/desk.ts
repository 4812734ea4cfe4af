/** The sessions of an editor, and the models and sandboxes that they share. */
import { realpathSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { RequestError, type SessionInfo } from '@agentclientprotocol/sdk'
import { listSessions, openSession } from '../../agent/index.ts'
import type { Model } from '../../engine/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { Config } from '../config/settings.ts'
import type { McpTools } from '../mcp/open.ts'
import { withEffortOf } from '../open/effort.ts'
import { openMoreTools } from '../open/mcp.ts'
import { openModel } from '../open/model.ts'
import { openWantedSandbox } from '../open/sandbox.ts'
import { sessionSettings } from '../open/workplace.ts'
import type { Paths } from '../paths.ts'
import { sandboxMode } from '../tui/modes.ts'
import { type Seat, takeSeat } from './seat.ts'

export interface DeskOptions {
  readonly flags: Readonly<Record<string, unknown>>
  readonly paths: Paths
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A line for whoever reads the editor's log. */
  readonly tell: (text: string) => void
}

export interface Desk {
  /** A new session in a folder, or an earlier one. Rejects with RequestError, whose message names the fix. */
  open(cwd: string, earlier?: string): Promise<Seat>
  /** Throws RequestError for an id that there is not. */
  seat(id: string): Seat
  list(cwd: string | undefined): Promise<SessionInfo[]>
  close(id: string): Promise<void>
  /** Ends all sessions, then the models. */
  end(): Promise<void>
}

export function openDesk({ flags, paths, environment, tell }: DeskOptions): Desk {
  const seats = new Map<string, Seat>()
  const models = new Map<string, Promise<Model>>()
  const others: McpTools[] = []
  const leaving = new AbortController()

  /** One for all sessions with the same settings: a model takes memory. */
  function modelFor(config: Config): Promise<Model> {
    const { model, baseUrl, preset, dialect, effort, context } = config
    const key = JSON.stringify([model, baseUrl, preset, dialect, effort, context])
    const held = models.get(key)
    if (held !== undefined) return held
    const opening = openModel({
      config,
      paths,
      signal: leaving.signal,
      mayAsk: false,
      animated: false,
      onStatus: () => undefined,
      onNotice: (_, text) => tell(text),
    })
    models.set(key, opening)
    // One that could not be opened is tried again by the next session.
    opening.catch(() => models.delete(key))
    return opening
  }

  async function take(cwd: string, earlier: string | undefined): Promise<Seat> {
    const { config, warnings } = resolveConfig({ cwd, paths, environment, flags })
    for (const warning of warnings) tell(warning)
    const resume = earlier === undefined ? undefined : await logOf(earlier, cwd)
    const [sandbox, model, more] = await Promise.all([
      openWantedSandbox(config, cwd),
      withEffortOf(config, resume).then(modelFor),
      openMoreTools(config, { cwd, onNotice: tell }),
    ])
    others.push(more)
    if (sandbox.problem !== undefined) tell(`commands will not run: ${sandbox.problem.message}`)
    const settings = sessionSettings({ config, cwd, paths })
    return await takeSeat(config.mode ?? 'ask', ({ mode, approve, asksBefore }) =>
      openSession({
        ...settings,
        model,
        sandbox,
        moreTools: more.tools,
        // Asked anew for each call: it changes while a session goes on.
        policy: {
          ...settings.policy,
          get mode() {
            return sandboxMode(mode(), settings.policy.mode)
          },
        },
        approve,
        asksBefore,
        ...(resume !== undefined && { resume }),
      }),
    )
  }

  async function logOf(id: string, cwd: string): Promise<string> {
    const found = (await listSessions(paths.state, { cwd })).find((each) => each.id === id)
    if (found === undefined) throw RequestError.resourceNotFound(id)
    return found.file
  }

  return {
    async open(given, earlier) {
      const cwd = folder(given)
      // Its log has one writer.
      if (earlier !== undefined) await this.close(earlier)
      try {
        const seat = await take(cwd, earlier)
        seats.set(seat.id, seat)
        return seat
      } catch (error) {
        if (error instanceof RequestError) throw error
        throw RequestError.internalError(undefined, error instanceof Error ? error.message : String(error))
      }
    },
    seat(id) {
      const seat = seats.get(id)
      if (seat === undefined) throw RequestError.resourceNotFound(id)
      return seat
    },
    async list(cwd) {
      const sessions = await listSessions(paths.state, cwd === undefined ? {} : { cwd: folder(cwd) })
      return sessions.map(({ id, cwd: place, firstInput, usedMs }) => ({
        sessionId: id,
        cwd: place,
        title: firstInput.split('\n')[0]?.slice(0, 80) ?? '',
        updatedAt: new Date(usedMs).toISOString(),
      }))
    },
    async close(id) {
      const seat = seats.get(id)
      seats.delete(id)
      await seat?.close()
    },
    async end() {
      leaving.abort()
      await Promise.allSettled([...seats.values()].map((seat) => seat.close()))
      await Promise.all(others.map((one) => one.close()))
      await Promise.allSettled([...models.values()].map(async (model) => (await model).close()))
    },
  }
}

/** Absolute and without links. Throws RequestError. */
function folder(path: string): string {
  if (!isAbsolute(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw RequestError.invalidParams({ cwd: path }, `cwd: ${path} is not the absolute path of a folder`)
  }
  return realpathSync(path)
}
