/** Pictures in a message: a path that a terminal pastes when a file is dropped on it. */
import { type Editor, insert, insertChip } from './editor.ts'

export const isPicture = (path: string): boolean => /\.(png|jpe?g|gif|webp|bmp|heic|tiff?)$/i.test(path)

/** The editor with a chip for the picture, when the paste is nothing but the path of one. */
export function pastePicture(editor: Editor, pasted: string): Editor | undefined {
  const bare = pasted
    .trim()
    .replace(/^'(.*)'$|^"(.*)"$/, '$1$2')
    .replace(/^file:\/\//, '')
    .replace(/\\ /g, ' ')
  if (bare.includes('\n') || !/^[/~.]/.test(bare) || !isPicture(bare)) return undefined
  // Apart from the words around it: what is typed next is no part of the path.
  const before = editor.text[editor.cursor - 1]
  const apart = before === undefined || /\s/.test(before) ? editor : insert(editor, ' ')
  const chip = insertChip(apart, {
    content: /\s/.test(bare) ? `@"${bare}"` : `@${bare}`,
    label: `[picture ${bare.split('/').at(-1)}]`,
  })
  return insert(chip, ' ')
}
