/**
 * Samples freely until a trigger was said, and then under that trigger's rule to its end. Triggers are ours, not the
 * library's: its own hold to the end of the reply, and end the process where a token goes on beyond the trigger with
 * something that the grammar refuses.
 */
import type { Grammar, Trigger } from '../engine.ts'
import { Fields } from './fields.ts'
import { Folder } from './folder.ts'
import { type Candidates, readGrammar } from './grammar.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import { argmax, lead, mostLikely } from './likely.ts'
import type { Logits, Sampler } from './logits.ts'
import { type SurePick, sureLead } from './sure.ts'
import { Triggers } from './triggers.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Tokens that are tried before the whole vocabulary: one of them fits nearly always. */
const firstTried = 256

type Begun = Pick<NonNullable<ReturnType<Triggers['find']>>, 'trigger' | 'words'>

/** Where an argument is held to what is on disk, so many are tried before it is let go. */
const alsoTried = 4096
/** An old text goes on as the file does where that is at most so much less likely than what was meant (nats: 0.1 % as likely). */
const mostDoubt = 7

export interface CallSamplerOptions {
  readonly context: Pointer
  readonly vocabulary: Vocabulary
  readonly candidates: Candidates
  /** Undefined: the most likely token is taken. */
  readonly chain: Pointer | undefined
  /** As `chain` says. */
  readonly sure: SurePick
  readonly grammar: Grammar & { readonly triggers: readonly Trigger[] }
  /** Tokens besides the model's own that end the reply. */
  readonly stopTokens: readonly number[]
}

export function callSampler(library: Library, options: CallSamplerOptions): Sampler {
  const { context, vocabulary, candidates, chain, sure, grammar } = options
  const { call } = library
  const triggers = new Triggers(grammar.triggers)
  const folder = grammar.folder === undefined ? undefined : new Folder(grammar.folder)
  const end = vocabulary.end
  const ends = [...options.stopTokens, ...(end === undefined ? [] : [end])]
  const texts = new Map<number, string>()
  let native: Pointer | null = null
  let fields: Fields | undefined
  let held: Trigger | undefined
  /** Only the reply's end may follow. */
  let over = false
  let due: number[] = []
  let problem: string | undefined = end === undefined ? 'this model has no token that ends a reply' : undefined

  function textOf(token: number): string {
    const known = texts.get(token)
    if (known !== undefined) return known
    const text = Buffer.from(vocabulary.piece(token)).toString('latin1')
    texts.set(token, text)
    return text
  }

  const allowed = (token: number): boolean => {
    if (native === null) return true
    candidates.one(token)
    candidates.apply(native)
    return candidates.firstStands
  }
  const fits = (token: number): boolean => fields === undefined || fields.fits(textOf(token))
  /** In the place of a token that was refused: who wanted to say more does not end an argument there. */
  const goesOn = (token: number): boolean => (fields?.open === undefined ? fits(token) : fields.goesOn(textOf(token)))

  function begin({ trigger, words }: Begun): boolean {
    native = readGrammar(library, vocabulary.handle, grammar.gbnf, trigger.root)
    if (native === null) {
      problem = `the grammar cannot be read from its rule ${trigger.root}`
      return false
    }
    held = trigger
    fields = folder && grammar.fields && new Fields(grammar.fields, folder, words)
    return true
  }

  function finish(): void {
    if (native !== null) call.samplerFree(native)
    native = null
    fields = undefined
    held = undefined
  }

  /** Tells the grammar of a token that it allows; at its end everything is free again. */
  function accept(token: number): void {
    if (native === null) return
    call.samplerAccept(native, token)
    fields?.take(textOf(token))
    if (end === undefined || !allowed(end)) return
    over = held?.last === true
    finish()
  }

  /** What a token says beyond the trigger. False: the grammar refuses it; then it has not begun. */
  function acceptRest(begun: Begun, rest: string): boolean {
    if (!begin(begun)) return true
    for (const token of vocabulary.spell(Buffer.from(rest, 'latin1'))) {
      // At the grammar's end anything goes.
      if (native === null) return true
      if (!allowed(token) || fields?.fits(textOf(token)) === false) {
        finish()
        return false
      }
      accept(token)
    }
    return true
  }

  function pickFreely(values: Float32Array, place: number): number {
    const token = chain === undefined ? argmax(values) : call.sample(chain, context, place)
    if (problem !== undefined) return token
    const text = textOf(token)
    const found = triggers.find(text)
    if (found === undefined || acceptRest(found, text.slice(found.length))) {
      triggers.said(text)
      return token
    }
    // Only the part of the token up to the trigger is said.
    due = [...vocabulary.spell(Buffer.from(text.slice(0, found.length), 'latin1'))]
    return due.length > 0 ? sayDue() : token
  }

  /** Says the next token of a beginning that was cut off; the trigger ends with the last of them. */
  function sayDue(): number {
    const token = due.shift() ?? 0
    const text = textOf(token)
    const found = triggers.find(text)
    if (found !== undefined && found.length === text.length) begin(found)
    triggers.said(text)
    return token
  }

  /** The best of some tokens, or of all, that the grammar allows and, where that is asked, the arguments do. */
  function narrowed(
    values: Float32Array,
    tokens: Int32Array | undefined,
    onDisk?: (token: number) => boolean,
  ): number | undefined {
    if (tokens === undefined) candidates.all(values)
    else candidates.some(tokens, values)
    if (native !== null) candidates.apply(native)
    if (onDisk && candidates.keep(onDisk) === 0) return undefined
    if (chain !== undefined) candidates.apply(chain)
    const token = candidates.picked
    return allowed(token) && onDisk?.(token) !== false ? token : undefined
  }

  /** In the place of a token that the grammar refused. */
  const grammatical = (values: Float32Array): number | undefined =>
    (chain === undefined ? narrowed(values, mostLikely(values, firstTried)) : undefined) ?? narrowed(values, undefined)

  function pickAllowed(values: Float32Array, refused: number): number | undefined {
    const open = fields?.open
    const possible = allowed(refused)
    if (open === undefined && !possible) {
      const found = grammatical(values)
      if (found === undefined || fits(found)) return found
    }
    const found =
      narrowed(values, mostLikely(values, firstTried), goesOn) ??
      narrowed(values, mostLikely(values, alsoTried), goesOn) ??
      narrowed(values, mostLikely(values, alsoTried), fits)
    const doubt = found === undefined ? 0 : (values[refused] ?? 0) - (values[found] ?? 0)
    if (found !== undefined && (open !== 'text' || doubt < mostDoubt || !possible)) return found
    // What it means is not there: better a refusal by the tool, with its hint, than a change in another place.
    fields?.letGo()
    return possible ? refused : grammatical(values)
  }

  function pickHeld(values: Float32Array): number {
    let token: number
    if (chain === undefined) token = argmax(values)
    else {
      candidates.all(values)
      candidates.apply(chain)
      token = candidates.picked
    }
    if (!allowed(token) || !fits(token)) {
      const other = pickAllowed(values, token)
      if (other === undefined) {
        problem = `the grammar allows no token in its rule ${held?.root}`
        finish()
      } else token = other
    }
    accept(token)
    if (chain !== undefined) call.samplerAccept(chain, token)
    triggers.said(textOf(token))
    return token
  }

  return {
    pick(logits: Logits, place: number) {
      const values = logits.read(place)
      if (due.length > 0) return sayDue()
      if (over) return ends.reduce((a, b) => ((values[b] ?? 0) > (values[a] ?? 0) ? b : a))
      return native === null ? pickFreely(values, place) : pickHeld(values)
    },
    sure(logits: Logits, place: number) {
      if (due.length > 0) return true
      const values = logits.read(place)
      if (over) return lead(Float32Array.from(ends, (token) => values[token] ?? 0)).by >= sureLead
      const token = sure(values)
      return token !== undefined && (native === null || (allowed(token) && fits(token)))
    },
    get problem() {
      return problem
    },
    free() {
      finish()
      if (chain !== undefined) call.samplerFree(chain)
    },
  }
}
