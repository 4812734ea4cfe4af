/** Cuts a stream into tags and the text between them, one character at a time, so that chunks make no difference. */

export interface TagGrammar {
  /** The characters a tag can begin with. */
  readonly first: string
  /** Whether a text is a whole tag, the beginning of one, or neither. */
  readonly look: (text: string) => 'whole' | 'more' | 'none'
}

export interface TagEvents {
  readonly text: (text: string) => void
  readonly tag: (tag: string) => void
}

export interface TagReader {
  push(chunk: string): void
  /** What was held as the beginning of a tag is text. */
  end(): void
}

/** No tag is longer: what goes on is text. */
const longest = 400

export function tagReader(grammar: TagGrammar, events: TagEvents): TagReader {
  let held = ''

  function take(character: string): void {
    held += character
    while (held !== '') {
      const begins = grammar.first.includes(held[0] ?? '')
      const found = !begins || held.length > longest ? 'none' : grammar.look(held)
      if (found === 'more') return
      if (found === 'whole') {
        const tag = held
        held = ''
        events.tag(tag)
        return
      }
      const rest = held.slice(1)
      events.text(held.slice(0, 1))
      held = ''
      // What follows the first character is looked at anew: it may begin a tag of its own.
      for (const next of rest.split('')) take(next)
      return
    }
  }

  return {
    push(chunk) {
      let from = 0
      for (let at = 0; at < chunk.length; at += 1) {
        if (held === '') {
          if (!grammar.first.includes(chunk[at] ?? '')) continue
          if (at > from) events.text(chunk.slice(from, at))
        }
        take(chunk[at] ?? '')
        from = at + 1
      }
      if (held === '' && from < chunk.length) events.text(chunk.slice(from))
    },
    end() {
      if (held !== '') events.text(held)
      held = ''
    },
  }
}

/** A grammar of fixed spellings and of patterns for tags with a name in them. */
export function fixedTags(tags: readonly string[]): TagGrammar {
  return {
    first: [...new Set(tags.map((tag) => tag[0]))].join(''),
    look(text) {
      if (tags.includes(text)) return 'whole'
      return tags.some((tag) => tag.startsWith(text)) ? 'more' : 'none'
    },
  }
}
