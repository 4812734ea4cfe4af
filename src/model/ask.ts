/** The first question: which model? Only in a terminal, and only while there is none. */
import { on } from 'node:events'
import { createInterface } from 'node:readline'
import { type CatalogEntry, type Choice, choices, defaultEntry, readMachine } from '../../engine/index.ts'
import { bytesText } from './bytes.ts'
import { fitCell } from './fit-text.ts'
import { table } from './table.ts'

export interface AskOptions {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  readonly signal: AbortSignal
}

/**
 * Shows the models of the catalog with how they fit this machine, and asks for one; Enter takes the default. A number
 * or a name is an answer; anything else is asked again. At the end of input the default is taken. Rejects when the
 * signal aborts.
 */
export async function askForModel({ input, output, signal }: AskOptions): Promise<CatalogEntry> {
  const offered = choices(await readMachine())
  const preset = offered.find(({ entry }) => entry === defaultEntry()) ?? offered[0]
  if (preset === undefined) throw new Error('the catalog is empty')
  output.write(`There is no model on this machine yet. Which one?\n\n${choiceTable(offered).join('\n')}\n\n`)
  const lines = createInterface({ input, terminal: false })
  const prompt = `Number or name (Enter: ${preset.entry.name}): `
  output.write(prompt)
  try {
    // Events, not question(): a line that comes while none is awaited must not be lost.
    for await (const [line] of on(lines, 'line', { signal, close: ['close'] })) {
      const chosen = choose(String(line).trim(), offered, preset)
      if (chosen !== undefined) return chosen.entry
      output.write(`That is none of them.\n${prompt}`)
    }
    return preset.entry
  } finally {
    lines.close()
  }
}

function choose(answer: string, offered: readonly Choice[], preset: Choice): Choice | undefined {
  if (answer === '') return preset
  return /^\d+$/.test(answer)
    ? offered[Number(answer) - 1]
    : offered.find(({ entry }) => entry.name === answer.toLowerCase())
}

function choiceTable(offered: readonly Choice[]): string[] {
  const largest = offered
    .filter(({ fit }) => fit.verdict === 'yes')
    .reduce<Choice | undefined>((most, one) => (one.entry.bytes > (most?.entry.bytes ?? 0) ? one : most), undefined)
  const rows = offered.map(({ entry, fit }, index) => [
    `  ${index + 1}`,
    entry.name,
    bytesText(entry.bytes),
    fitCell(fit),
    entry.licence,
    entry === defaultEntry() ? 'default' : entry === largest?.entry ? 'largest fit' : '',
  ])
  return table([['   ', 'model', 'download', 'fits this machine', 'licence', ''], ...rows])
}
