/** The text by which a model is shown a repository. */
import { fencedFile } from '../fence.ts'
import { listTree } from '../outline.ts'

export const intro =
  'The files of this repository as they were when the session began, those that change seldom first. What changes later is shown later.'

/** Files whole, then outlines, then the paths of the rest. */
export function repositoryText(
  whole: readonly { readonly file: { readonly path: string }; readonly text: string }[],
  outlined: readonly { readonly text: string }[],
  rest: readonly string[],
): string {
  const parts = [intro, ...whole.map(({ file, text }) => fencedFile(file.path, text))]
  if (outlined.length > 0)
    parts.push(`Files that are shown by their outline only:\n\n${outlined.map(({ text }) => text).join('\n\n')}`)
  const list = listTree(rest)
  if (list !== undefined) parts.push(`Files that are not shown; read them when you need them:\n${list}`)
  return parts.join('\n\n')
}
