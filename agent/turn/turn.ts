/** What one run works with. Every effect is in here, so that the loop itself touches nothing. */
import type { ModelInfo, Sampling, Usage } from '../../engine/index.ts'
import type { Tool, ToolContext } from '../../tools/index.ts'
import type { Changes } from '../changes.ts'
import type { CheckCommands } from '../checks/types.ts'
import type { Steps } from '../context/steps.ts'
import type { Conversation } from '../conversation.ts'
import type { AgentEvent } from '../events.ts'
import type { Approve, Clock, RunLimits, SessionOptions } from '../options.ts'
import type { Rule } from '../policy/rules.ts'
import type { TurnRecorder } from '../undo/recorder.ts'
import type { Certainty } from './certainty.ts'

export type Explore = (
  question: string,
  options: { readonly signal: AbortSignal; readonly spent: (usage: Usage) => void },
) => Promise<{ readonly ok: boolean; readonly text: string }>

export interface Turn {
  readonly info: ModelInfo
  readonly conversation: Conversation
  readonly tools: readonly Tool[]
  /** What every tool gets, less what differs from call to call. */
  readonly toolContext: Omit<ToolContext, 'signal' | 'onOutput' | 'onBeginning' | 'explore'>
  /** Looks for an answer in a copy of the conversation; `spent` takes what each reply there has cost. Undefined: it is one. */
  readonly explore: Explore | undefined
  readonly changes: Changes
  /** Records the work tree for undo. */
  readonly recorder: TurnRecorder
  readonly limits: RunLimits
  readonly clock: Clock
  /** The user's interruption. */
  readonly signal: AbortSignal
  readonly approve: Approve | undefined
  readonly asksBefore: SessionOptions['asksBefore']
  /** The user's rules. */
  readonly rules: readonly Rule[]
  readonly sampling: Partial<Sampling> | undefined
  /** The most attempts; undefined: by the model. */
  readonly tries: number | undefined
  /** Told of each sampled token, where attempts may have to be compared by it. */
  readonly certainty?: Certainty | undefined
  /** Puts back what an attempt may not change; see `SendOptions.putBack`. */
  readonly putBack?: (() => Promise<string | undefined>) | undefined
  /** Commands of the user that check what was done. */
  readonly checks: CheckCommands
  /** Takes the words that the user said since the last look. */
  readonly steering: () => readonly string[]
  /** The most tokens of one reply; undefined where only the run's limit and the context bound it. */
  readonly replyTokens: number | undefined
  /**
   * What has changed in files that the model knows, by others than itself; '' when nothing has. `command`: one has run, which may
   * have changed anything. Undefined: it is told with the next task only.
   */
  readonly news: ((command: boolean) => Promise<string>) | undefined
  /** Before a request: makes room in the context where there is little. Undefined: the context is left as it is. */
  readonly makeRoom: (() => AsyncGenerator<AgentEvent, void>) | undefined
  /**
   * Puts the task in front of the model again, without what the functions of its files do, and with these words; see
   * `Memory.beginAnew`. Marks from after the task are of no use then. Undefined: the model mends what it sees.
   */
  readonly anew?: ((words: string) => Promise<boolean>) | undefined
  /** The model writes what it was not shown: that it takes fewer lines is no loss. */
  readonly unseen?: boolean | undefined
  /** The task is one change in many files, which a small model does one at a time; nothing of it is in the conversation yet. */
  readonly steps?: Steps | undefined
  /** Path → the part of a long file that the model was shown and asked to write again. */
  readonly parts: ReadonlyMap<string, string>
  /** What the session has tried already in the place of a file, and seen to fail; see doubts.ts. */
  readonly tried: Set<string>
  /** Work-tree paths that the model was shown whole, or such a part of. */
  readonly filesInPlay: () => readonly string[]
}
