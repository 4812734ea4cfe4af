/** Text to tokens and tokens to text. */
import { EngineError } from '../engine.ts'
import { later } from './functions.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import { Spellings, splitTrusted, splitUntrusted } from './split.ts'

/** `llama_token_attr` bits (llama.h). */
const CONTROL = 1 << 3
const USER_DEFINED = 1 << 4

/** Bytes of text below which a synchronous call (a few ms) costs less than a worker thread. */
const syncBytes = 20_000

export class Vocabulary {
  readonly size: number
  readonly handle: Pointer
  readonly #library: Library
  /** 1 for tokens that untrusted text must never become. */
  readonly #special: Uint8Array
  readonly #control: Uint8Array
  /** Spellings that the library would find in any text. */
  readonly #userDefined: Spellings
  /** Those and the control tokens' spellings. */
  readonly #all: Spellings
  readonly #pieces = new Map<number, Uint8Array>()
  #buffer = new Uint8Array(512)

  constructor(library: Library, model: Pointer) {
    const { call } = library
    this.#library = library
    this.handle = call.vocabulary(model)
    this.size = call.vocabularySize(this.handle)
    this.#special = new Uint8Array(this.size)
    this.#control = new Uint8Array(this.size)
    const userDefined: string[] = []
    const control: string[] = []
    for (let token = 0; token < this.size; token++) {
      const attributes = call.tokenAttributes(this.handle, token)
      if ((attributes & (CONTROL | USER_DEFINED)) === 0) continue
      const text = call.tokenText(this.handle, token)
      // Some families (Gemma) keep runs of blanks as user-defined tokens: those are plain text.
      if ((attributes & CONTROL) === 0 && /^[\s\u2581]*$/u.test(text)) continue
      this.#special[token] = 1
      if (attributes & CONTROL) {
        this.#control[token] = 1
        control.push(text)
      } else userDefined.push(text)
    }
    this.#userDefined = new Spellings(userDefined)
    this.#all = new Spellings([...userDefined, ...control])
  }

  /**
   * @param control whether control tokens in the text are meant as such. Where not, no special token comes out,
   *   whatever the text.
   */
  async tokenize(text: string, control: boolean): Promise<Int32Array> {
    const pieces = control ? splitTrusted(text, this.#all) : splitUntrusted(text, this.#userDefined)
    const parts: Int32Array[] = []
    for (const piece of pieces) {
      const tokens = await this.#tokenizePiece(piece, control)
      if (!control && tokens.some((token) => this.#special[token] === 1)) parts.push(await this.#spellOut(piece))
      else parts.push(tokens)
    }
    const first = parts[0]
    if (first && parts.length === 1) return first
    const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  /** Whether a number is a token of this vocabulary. */
  has(token: number): boolean {
    return Number.isInteger(token) && token >= 0 && token < this.size
  }

  isEnd(token: number): boolean {
    return this.#library.call.tokenIsEnd(this.handle, token)
  }

  /** A token that ends a reply; undefined where the model has none. */
  get end(): number | undefined {
    const { call } = this.#library
    return [call.endOfTurn(this.handle), call.endOfText(this.handle)].find((token) => token >= 0 && this.isEnd(token))
  }

  /** Control tokens have no text of their own in a reply. */
  isControl(token: number): boolean {
    return this.#control[token] === 1
  }

  /** The bytes of a token: perhaps part of a character. */
  piece(token: number): Uint8Array {
    const known = this.#pieces.get(token)
    if (known) return known
    const { call } = this.#library
    let bytes = call.tokenPiece(this.handle, token, this.#buffer, this.#buffer.length, 0, true)
    if (bytes < 0) {
      this.#buffer = new Uint8Array(-bytes)
      bytes = call.tokenPiece(this.handle, token, this.#buffer, this.#buffer.length, 0, true)
    }
    const piece = this.#buffer.slice(0, Math.max(0, bytes))
    this.#pieces.set(token, piece)
    return piece
  }

  /** The tokens of a few bytes that a token began or ended with; none where that goes wrong. */
  spell(bytes: Uint8Array): Int32Array {
    const tokens = new Int32Array(bytes.length + 8)
    const { call } = this.#library
    const count = call.tokenize(this.handle, bytes, bytes.length, tokens, tokens.length, false, false)
    return tokens.slice(0, Math.max(0, count))
  }

  async #tokenizePiece(text: string, control: boolean): Promise<Int32Array> {
    const bytes = Buffer.from(text, 'utf8')
    const tokens = new Int32Array(bytes.length + 8)
    const { call } = this.#library
    const count =
      bytes.length <= syncBytes
        ? call.tokenize(this.handle, bytes, bytes.length, tokens, tokens.length, false, control)
        : await later(call.tokenize, this.handle, bytes, bytes.length, tokens, tokens.length, false, control)
    if (count < 0) throw new EngineError('misuse', `the text could not be tokenised (${count})`)
    return tokens.slice(0, count)
  }

  /** The last guard: a special token came out of plain text by a way not known to us. Character by character, then. */
  async #spellOut(text: string): Promise<Int32Array> {
    const tokens: number[] = []
    for (const character of text)
      for (const token of await this.#tokenizePiece(character, false))
        if (this.#special[token] !== 1) tokens.push(token)
    return Int32Array.from(tokens)
  }
}
