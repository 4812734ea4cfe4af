// Word statistics for short texts.

/** The number of words in a text. Words are divided by white space. */
export function countWords(text) {
  return text.split(' ').length
}

/** How often each word occurs, in lower case, as a Map. */
export function wordFrequencies(text) {
  const frequencies = new Map()
  for (const word of text.toLowerCase().match(/[a-z']+/g) ?? []) {
    frequencies.set(word, (frequencies.get(word) ?? 0) + 1)
  }
  return frequencies
}
