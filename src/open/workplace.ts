import { openSession, type Session, type SessionOptions } from '../../agent/index.ts'
import { openSandbox } from '../../sandbox/index.ts'
import { type OpenModelRequest, openModel } from './model.ts'

export interface WorkplaceRequest extends OpenModelRequest {
  /** Absolute, real path of the work tree. */
  readonly cwd: string
  /** What only an interactive front end gives: approvals, an earlier session to go on with. */
  readonly session?: Pick<SessionOptions, 'approve' | 'asksBefore' | 'resume'>
}

/** A session with everything it stands on. */
export interface Workplace {
  readonly session: Session
  /** Ends the session, then the model and its processes. */
  close(): Promise<void>
}

/** Brings model, sandbox and session together as the settings say. Throws OpenError. */
export async function openWorkplace(request: WorkplaceRequest): Promise<Workplace> {
  const { config, cwd } = request
  // The sandbox first: it waits for a child of its own while the model is opened.
  const opening = openSandbox({ roots: [cwd], backend: backendOf(config.sandbox) })
  const [sandbox, model] = await Promise.all([opening, openModel(request)])
  if (sandbox.problem !== undefined && config.sandbox !== 'full-access') {
    request.onNotice('warning', `commands will not run: ${sandbox.problem.message}`)
  }
  let session: Session
  try {
    session = await openSession({ ...request.session, ...sessionSettings(request), model, sandbox })
  } catch (error) {
    await model.close()
    throw error
  }
  return {
    session,
    async close() {
      await session.close()
      await model.close()
    },
  }
}

/** What the settings say about any session of a work tree. */
export function sessionSettings({
  config,
  cwd,
  paths,
}: Pick<WorkplaceRequest, 'config' | 'cwd' | 'paths'>): Omit<SessionOptions, 'model' | 'sandbox'> {
  return {
    root: cwd,
    policy: {
      mode: config.sandbox === 'external' ? 'workspace-write' : config.sandbox,
      roots: [cwd],
      extraWrite: config.extraWrite,
      denyRead: config.denyRead,
      network: config.network,
      passEnv: config.passEnv,
    },
    limits: { steps: config.maxSteps, tokens: config.maxTokens, seconds: config.maxSeconds },
    stateFolder: paths.state,
    appendSystem: config.appendSystem,
    sampling: {
      ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
      ...(config.seed === undefined ? {} : { seed: config.seed }),
    },
  }
}

/** Which sandbox is opened for a mode. */
export function backendOf(mode: WorkplaceRequest['config']['sandbox']): 'auto' | 'external' | 'none' {
  if (mode === 'external') return 'external'
  return mode === 'full-access' ? 'none' : 'auto'
}
