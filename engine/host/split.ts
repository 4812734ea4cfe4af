/**
 * Cuts text before the tokeniser sees it, for two reasons: no run of characters may be long enough to crash the
 * library (its std::wregex recurses once per character of a run), and no text that is not ours may hold the spelling
 * of a special token in one piece (the library finds user-defined ones in any text).
 */

/** UTF-16 units of one class (space, or not space) after which a run is cut. Measured safe: ten times this. */
const longestRun = 2048

/** A call of the tokeniser gets at most about this much: bounds its memory. */
const longestPiece = 256 * 1024

/** The spellings of special tokens, for finding them in text. Those of one UTF-16 unit cannot be cut and are left out. */
export class Spellings {
  readonly #byStart = new Map<string, string[]>()
  #firstUnits = new Set<number>()

  constructor(spellings: Iterable<string>) {
    for (const spelling of spellings) {
      if (spelling.length < 2) continue
      const start = spelling.slice(0, 2)
      this.#firstUnits.add(spelling.charCodeAt(0))
      const others = this.#byStart.get(start)
      if (others) others.push(spelling)
      else this.#byStart.set(start, [spelling])
    }
  }

  /** Length of the longest special spelling that begins at a place, or 0. */
  at(text: string, index: number): number {
    if (!this.#firstUnits.has(text.charCodeAt(index))) return 0
    let longest = 0
    for (const spelling of this.#byStart.get(text.slice(index, index + 2)) ?? [])
      if (spelling.length > longest && text.startsWith(spelling, index)) longest = spelling.length
    return longest
  }
}

const isSpace = (unit: number): boolean =>
  unit === 32 || (unit >= 9 && unit <= 13) || unit === 0x85 || unit === 0xa0 || unit === 0x3000 || isRareSpace(unit)
const isRareSpace = (unit: number): boolean =>
  unit === 0x1680 || (unit >= 0x2000 && unit <= 0x200a) || unit === 0x2028 || unit === 0x2029 || unit === 0x202f
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

/**
 * Text of our own: only long runs are cut, and never inside a special spelling.
 */
export function splitTrusted(text: string, specials: Spellings): string[] {
  return cut(text, longRuns(text), specials)
}

/** Text of others: cut also inside every special spelling, after its first character, wherever one begins. */
export function splitUntrusted(text: string, specials: Spellings): string[] {
  const places = longRuns(text)
  for (let i = 0; i < text.length; i++)
    if (specials.at(text, i) > 0) places.push(i + (isLowSurrogate(text.charCodeAt(i + 1)) ? 2 : 1))
  return cut(
    text,
    [...new Set(places)].sort((a, b) => a - b),
  )
}

/** Places that end a run of `longestRun` units of one class, or a piece of `longestPiece`. */
function longRuns(text: string): number[] {
  const places: number[] = []
  let run = 0
  let last = 0
  let space = false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const now = isSpace(unit)
    if (now !== space) {
      run = 0
      space = now
      // Between a line's end and the next line's first letter no tokeniser joins anything.
      if (!now && i - last > longestPiece && text.charCodeAt(i - 1) === 10) {
        places.push(i)
        last = i
      }
    }
    if (run >= longestRun && !isLowSurrogate(unit)) {
      places.push(i)
      run = 0
      last = i
    }
    run++
  }
  return places
}

/** The pieces between the places; a place inside one of the `whole` spellings moves before it. */
function cut(text: string, places: readonly number[], whole?: Spellings): string[] {
  const pieces: string[] = []
  let from = 0
  for (const place of places) {
    const to = whole ? beforeSpelling(text, place, whole) : place
    if (to <= from) continue
    pieces.push(text.slice(from, to))
    from = to
  }
  if (from < text.length) pieces.push(text.slice(from))
  return pieces
}

/** Longest look back for a spelling that a place would fall into. */
const longestSpelling = 128

function beforeSpelling(text: string, place: number, whole: Spellings): number {
  for (let i = Math.max(0, place - longestSpelling); i < place; i++) if (i + whole.at(text, i) > place) return i
  return place
}
