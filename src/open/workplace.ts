import { join } from 'node:path'
import { openSession, type RepositoryOptions, type Session, type SessionOptions } from '../../agent/index.ts'
import type { Sandbox } from '../../sandbox/index.ts'
import { type CodeSense, openCode, renderOutline } from '../../tools/index.ts'
import type { Config } from '../config/settings.ts'
import type { Paths } from '../paths.ts'
import { withEffortOf } from './effort.ts'
import { openMoreTools } from './mcp.ts'
import { openModel } from './model.ts'
import type { OpenModelRequest } from './request.ts'
import { sandboxPolicy } from './sandbox.ts'

export interface WorkplaceRequest extends OpenModelRequest {
  /** Absolute, real path of the work tree. */
  readonly cwd: string
  /** Being opened: it waits for a child of its own, so it is begun before anything else. */
  readonly sandbox: Promise<Sandbox>
  /** What a front end gives by itself: approvals, an earlier session to go on with, files listed meanwhile. */
  readonly session?: Pick<SessionOptions, 'approve' | 'asksBefore' | 'resume' | 'listed'>
  /** As in `CheckCommands`. */
  readonly tasksQuoteOutput?: boolean
}

/** A session with everything it stands on. */
export interface Workplace {
  readonly session: Session
  /** Ends the session, then the model and its processes. */
  close(): Promise<void>
}

/** Brings model, sandbox and session together as the settings say. Throws OpenError. */
export async function openWorkplace(request: WorkplaceRequest): Promise<Workplace> {
  const { cwd, onNotice } = request
  const config = await withEffortOf(request.config, request.session?.resume)
  const notice = (text: string): void => onNotice('warning', text)
  const opening = openMoreTools(config, { cwd, onNotice: notice })
  const [sandbox, model] = await Promise.all([request.sandbox, openModel({ ...request, config })]).catch(
    (error: unknown) => {
      void opening.then((one) => one.close())
      throw error
    },
  )
  const more = await opening
  if (sandbox.problem !== undefined && request.config.sandbox !== 'full-access') {
    request.onNotice('warning', `commands will not run: ${sandbox.problem.message}`)
  }
  const settings = sessionSettings(request)
  let session: Session
  try {
    session = await openSession({ ...request.session, ...settings, model, sandbox, moreTools: more.tools })
  } catch (error) {
    await more.close()
    await model.close()
    throw error
  }
  return {
    session,
    async close() {
      await session.close()
      await more.close()
      await settings.code?.close()
      await model.close()
    },
  }
}

/** What the settings say about any session of a work tree. */
export function sessionSettings({
  config,
  cwd,
  paths,
  tasksQuoteOutput,
}: Pick<WorkplaceRequest, 'config' | 'cwd' | 'paths' | 'tasksQuoteOutput'>): Omit<SessionOptions, 'model' | 'sandbox'> {
  return {
    root: cwd,
    policy: sandboxPolicy(config, cwd),
    rules: config.rules,
    limits: { steps: config.maxSteps, tokens: config.maxTokens, seconds: config.maxSeconds },
    stateFolder: paths.state,
    ...codeSettings(config, paths),
    checks: { check: config.check, types: config.checkTypes, lint: config.checkLint, tasksQuoteOutput },
    ...(config.tries === undefined ? {} : { tries: config.tries }),
    appendSystem: config.appendSystem,
    sampling: {
      ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
      ...(config.seed === undefined ? {} : { seed: config.seed }),
    },
  }
}

/** Grammars, and what the settings say about the repository in the context. Starts nothing: code is parsed when asked for. */
export function codeSettings(
  config: Config,
  paths: Paths,
): { readonly code: CodeSense; readonly repository: RepositoryOptions } {
  const code = openCode({ folder: join(paths.cache, 'code') })
  const repository: RepositoryOptions = {
    when: config.repository,
    budgetTokens: config.contextBudget,
    startupSeconds: config.startupSeconds,
    folder: join(paths.cache, 'repositories'),
    async outlineOf(path, text) {
      const entries = await code.outline(path, text)
      return entries === undefined ? undefined : renderOutline(entries)
    },
    rankOf: code.rank,
  }
  return { code, repository }
}
