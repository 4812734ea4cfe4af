/** Models in several files, named as llama.cpp's gguf-split names them: `…-00001-of-00003.gguf`. */

const numbered = /^(.*-)(\d{5})(-of-)(\d{5})(\.gguf)$/i
/** More parts than any model has: a name that promises so many is not believed. */
const most = 999

/**
 * The names of all parts, this one's first, of the model whose first part this is; the name alone of a model in one file.
 * Undefined for a part that is not the first, whatever it says of their count, and for more than 999.
 */
export function partNames(first: string): string[] | undefined {
  const name = numbered.exec(first)
  if (name === null) return [first]
  const [, head = '', number, of = '', total = '', tail = ''] = name
  const count = Number(total)
  if (Number(number) !== 1 || count < 1 || count > most) return undefined
  return Array.from({ length: count }, (_, i) => `${head}${String(i + 1).padStart(5, '0')}${of}${total}${tail}`)
}
