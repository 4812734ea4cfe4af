/** What we say to a CI runner: outputs, annotations, the summary. Its own commands are text on stdout, so ours are escaped. */
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import type { Place } from '../fix/places.ts'
import { sanitize } from '../terminal/sanitize.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A summary may hold one MiB; more is refused by GitHub as a whole. */
const summaryBytes = 900 * 1024

/** Sets outputs of the step: one heredoc each, whose end no value can hold. Nothing where there is no runner. */
export function setOutputs(values: Readonly<Record<string, string>>, environment: Environment = process.env): void {
  const file = environment['GITHUB_OUTPUT']
  if (file === undefined || file === '') return
  for (const [name, value] of Object.entries(values)) {
    const end = `end-${randomBytes(12).toString('hex')}`
    appendFileSync(file, `${name}<<${end}\n${value}\n${end}\n`)
  }
}

/** Adds Markdown to the summary of the job. */
export function addSummary(markdown: string, environment: Environment = process.env): void {
  const file = environment['GITHUB_STEP_SUMMARY']
  if (file === undefined || file === '') return
  const bytes = Buffer.from(markdown)
  const text =
    bytes.length > summaryBytes ? `${bytes.subarray(0, summaryBytes).toString('utf8')}\n\n(cut here)\n` : markdown
  appendFileSync(file, text)
}

/** One annotation on a line, as https://docs.github.com/actions/reference/workflow-commands-for-github-actions has it. */
export function annotation({ path, line, column, message }: Place, level: 'error' | 'notice' = 'error'): string {
  const at = column === undefined ? '' : `,col=${column}`
  return `::${level} file=${property(path)},line=${line}${at},title=Cachalot::${data(sanitize(message))}`
}

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/**
 * Between these two lines the runner obeys nothing that is printed: what a model or a check says goes there. The word that
 * ends it cannot be guessed.
 */
export function unheard(): { readonly begin: string; readonly end: string } {
  const word = randomBytes(16).toString('hex')
  return { begin: `::stop-commands::${word}`, end: `::${word}::` }
}
