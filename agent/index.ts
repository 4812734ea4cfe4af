/**
 * The face of the agent room: the loop and what surrounds it. Other rooms import only this file.
 *
 * ```ts
 * const session = await openSession({ model, root, sandbox, policy, limits, stateFolder })
 * for await (const event of session.send('Fix the off-by-one in src/page.ts', { signal })) draw(event)
 * await session.close()
 * ```
 */

export { foldLog } from './checks/fold.ts'
export { type AheadOptions, describeContext, readAhead } from './context/ahead.ts'
export { isExactExchange } from './context/exchange.ts'
export { mentions } from './context/mentions.ts'
export type { ContextReport } from './context/report.ts'
export { surveyBases } from './context/repository/base.ts'
export type { PlannedFile, RepositoryPlan } from './context/repository/plan.ts'
export type { RepositoryOptions } from './context/repository/resident.ts'
export { isSecret } from './context/secrets.ts'
export * from './events.ts'
export { listFiles } from './files.ts'
export { type Audit, type AuditEntry, auditSession } from './log/audit.ts'
export { LogError } from './log/format.ts'
export { forkSession, listSessions, modelOfSession, type SessionSummary } from './log/list.ts'
export { type Replayed, replaySession } from './log/replay.ts'
export { type Rerun, rerunSession, sessionModel } from './log/rerun.ts'
export type * from './options.ts'
export { pictureType } from './pictures.ts'
export { heldGlobs } from './policy/held.ts'
export type { Rule } from './policy/rules.ts'
export { openSession } from './session.ts'
export { UndoError } from './undo/store.ts'
export { listTurns, redoTurns, type TurnSummary, type UndoOutcome, undoTurns } from './undo/undo.ts'
