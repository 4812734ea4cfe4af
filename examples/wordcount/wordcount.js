// Word statistics for short texts.

/** The number of words in a text. Words are divided by white space; an empty text has none. */
export function countWords(text) {
  return text.split(/\s+/).filter((word) => word !== '').length
}

/** The longest word of a text; the first of them where several are as long; '' where there is none. */
export function longestWord(text) {
  throw new Error('not implemented')
}
