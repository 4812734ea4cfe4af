/** What one run of a session works with, from what the session holds. */
import { join } from 'node:path'
import { BackgroundCommands } from '../sandbox/index.ts'
import { type Changes, trackChanges } from './changes.ts'
import { sessionTools } from './context/tools.ts'
import type { Conversation } from './conversation.ts'
import type { Memory } from './memory.ts'
import type { ResolvedOptions } from './options.ts'
import { explore } from './turn/explore.ts'
import type { Turn } from './turn/turn.ts'
import { openRecorder, type TurnRecorder } from './undo/recorder.ts'

export interface SessionParts {
  readonly options: ResolvedOptions
  readonly memory: Memory
  readonly changes: Changes
  readonly recorder: TurnRecorder
  readonly background: BackgroundCommands
  /** See `Turn.tried`. */
  readonly tried: Set<string>
  /** Folder of the journal of edits. */
  readonly journal: string
  /** Takes the words that the user said since the last look. */
  readonly steering: () => readonly string[]
}

/** What the runs of a session share from its beginning on. */
export function sessionParts({
  options,
  memory,
  id,
  steering,
}: Pick<SessionParts, 'options' | 'memory' | 'steering'> & { readonly id: string }): SessionParts {
  const { stateFolder, clock, sandbox, workspace } = options
  const journal = join(stateFolder, 'journal')
  return {
    ...{ options, memory, steering, journal },
    changes: trackChanges(workspace, journal),
    recorder: openRecorder({ stateFolder, workspace, session: id, now: () => clock.now() }),
    background: new BackgroundCommands(sandbox),
    tried: new Set(),
  }
}

export function sessionTurn(parts: SessionParts, conversation: Conversation, signal: AbortSignal): Turn {
  const { options, memory, changes, recorder, background, tried, journal, steering } = parts
  const { model, workspace, sandbox, policy, limits, clock, rules = [], checks = {} } = options
  const small = model.info.prompt === 'small'
  return {
    info: model.info,
    conversation,
    tools: sessionTools(options),
    toolContext: {
      workspace,
      sandbox,
      policy,
      limits: options.commandLimits ?? { seconds: 120, outputBytes: 64 * 1024 },
      seen: memory.seen,
      journal,
      background,
      code: options.code,
      pages: memory.pages,
    },
    explore: (question, asked) => explore(sessionTurn(parts, conversation, signal), question, asked),
    changes,
    recorder,
    limits,
    clock,
    signal,
    approve: options.approve,
    asksBefore: options.asksBefore,
    rules,
    sampling: options.sampling,
    tries: options.tries,
    checks,
    steering,
    // An attempt of a small model is taken back whole: it hears of changes with its next task.
    makeRoom: small ? undefined : () => memory.makeRoom(conversation, signal, false),
    news: small ? undefined : (command) => memory.news({ noticed: !command }),
    anew: small ? (words) => memory.beginAnew(conversation, words) : undefined,
    replyTokens: memory.replyTokens,
    filesInPlay: () => memory.filesInPlay,
    parts: memory.parts,
    tried,
  }
}
