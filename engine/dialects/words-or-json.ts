/** What stands where calls are wanted: whitespace, words, or JSON in the place of a call. By its first sign, however it is cut. */
export interface WordsOrJson {
  add(words: string): void
  /** Begins anew, and gives the JSON that there was; undefined: there was none. */
  settle(): string | undefined
}

/** `say` hears the words as they come, with the whitespace before them. */
export function wordsOrJson(say: (words: string) => void): WordsOrJson {
  let kind: 'space' | 'words' | 'json' = 'space'
  let held = ''
  const release = (): void => {
    if (held !== '') say(held)
    held = ''
  }
  return {
    add(words) {
      held += words
      const [first] = kind === 'space' ? held.trimStart() : []
      if (first !== undefined) kind = first === '[' || first === '{' ? 'json' : 'words'
      if (kind === 'words') release()
    },
    settle() {
      const json = kind === 'json' ? held.trim() : undefined
      if (json !== undefined) held = ''
      release()
      kind = 'space'
      return json
    },
  }
}
