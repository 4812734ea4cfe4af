/** A model that replays a script through the same door as the others. Product code: `--model scripted:FILE`. */
import type { Message, Segment } from '../messages.ts'
import type { Model, ModelInfo } from '../model.ts'
import { callIds } from '../session/reply.ts'
import { estimateTokens } from '../session/usage.ts'
import type { ReplyFunction, Script, ScriptedReply } from './script.ts'
import { type ScriptState, scriptedSession } from './session.ts'

/** What one `respond` was asked with: every message of its session, in order. */
export interface ScriptedRequest {
  /** Counts sessions (and forks) of the model from 0. */
  readonly session: number
  readonly messages: readonly Message[]
}

export interface ScriptedModel extends Model {
  /** Every request so far, oldest first. In one session without rewinds request n is a strict prefix of n+1. */
  readonly requests: readonly ScriptedRequest[]
}

/**
 * A model whose replies are known in advance. Replies are handed out in the order in which any session of the model
 * asks; rewinding a session does not rewind the script. An exhausted script is a failure of kind `bad-reply`.
 * Token counts are estimates (four characters each); maxTokens is not applied: write `stop: 'length'` to see that.
 */
export function scriptedModel(
  script: Script | readonly ScriptedReply[] | ReplyFunction,
  info: Partial<ModelInfo> = {},
): ScriptedModel {
  const whole = typeof script === 'function' ? undefined : isReplies(script) ? { replies: script } : script
  const requests: ScriptedRequest[] = []
  let asked = 0
  let sessions = 0
  const state: ScriptState = {
    info: {
      name: whole?.name ?? 'scripted',
      place: 'scripted',
      dialect: whole?.dialect ?? 'scripted',
      contextTokens: whole?.contextTokens ?? 32_768,
      rewind: 'free',
      finishes: whole?.finishes ?? 'words',
      prompt: whole?.prompt ?? 'full',
      ...info,
    },
    newSession() {
      sessions += 1
      return sessions - 1
    },
    async reply(session, messages) {
      const index = asked
      asked += 1
      requests.push({ session, messages: [...messages] })
      if (typeof script === 'function') return script(messages, index)
      return whole?.replies[index]
    },
    exhausted: () =>
      whole === undefined
        ? 'The script gave no reply.'
        : `The script is at its end: reply ${asked} was asked for and it holds ${whole.replies.length}. Add the missing reply to it.`,
  }
  return {
    info: state.info,
    requests,
    countTokens: async (text) => estimateTokens(text),
    start: async (prefix: readonly Segment[]) => {
      const messages = prefix.flatMap((segment) => segment.messages)
      const ids = callIds()
      ids.seen(messages)
      return scriptedSession(state, messages, ids)
    },
    close: async () => undefined,
  }
}

function isReplies(script: Script | readonly ScriptedReply[]): script is readonly ScriptedReply[] {
  return Array.isArray(script)
}
