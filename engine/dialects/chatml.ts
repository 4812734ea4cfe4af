/**
 * ChatML turns, shared by the dialects of the Qwen family: `<|im_start|>role\n … <|im_end|>\n`.
 *
 * A turn is closed by what follows it. Only an assistant turn ends with its own `<|im_end|>`: the model samples that
 * token itself, or `close` adds it. Texts that we did not write go in with `control: false`.
 */
import type { Piece } from '../dialect.ts'
import type { Message } from '../messages.ts'

export type ChatmlRole = 'system' | 'user' | 'assistant'

export function trusted(text: string): Piece {
  return { text, control: true }
}

export function untrusted(text: string): Piece {
  return { text, control: false }
}

/** Closes the turn of `previous`, if there is one, and opens the next, up to and with the role (no newline). */
export function openTurn(role: ChatmlRole, previous: Message | undefined): Piece {
  const close = previous === undefined ? '' : previous.role === 'assistant' ? '\n' : '<|im_end|>\n'
  return trusted(`${close}<|im_start|>${role}`)
}

export function openAssistant(previous: Message): Piece[] {
  return [openTurn('assistant', previous), trusted('\n')]
}

export function closeAssistant(): Piece[] {
  return [trusted('<|im_end|>')]
}

/**
 * Tokens that end a reply besides the model's own end-of-turn token: a model that runs on would invent the next
 * turn, or another document.
 */
export const chatmlStop: readonly string[] = ['<|im_start|>', '<|endoftext|>']
