/** In which form a run is printed. */
import type { Screen } from '../terminal/screen.ts'
import { UsageError } from '../usage-error.ts'
import { jsonOutput, jsonResultOutput } from './json-output.ts'
import type { Output } from './output.ts'
import { quietOutput } from './quiet-output.ts'
import { textOutput } from './text-output.ts'

const formats = ['text', 'json', 'stream-json'] as const
/** `json`: one object at the end. `stream-json`: one event a line, the last one the result. */
export type Format = (typeof formats)[number]

/** `--json` is the short form of `stream-json`. Throws UsageError for a name that is none. */
export function formatOf({ json, outputFormat }: { readonly json?: boolean; readonly outputFormat?: string }): Format {
  const format = formats.find((each) => each === (outputFormat ?? (json === true ? 'stream-json' : 'text')))
  if (format === undefined)
    throw new UsageError(`--output-format: must be one of ${formats.join(', ')} (it is ${outputFormat})`)
  return format
}

export function outputFor(format: Format, quiet: boolean, screen: Screen): Output {
  const write = (text: string): boolean => process.stdout.write(text)
  if (format === 'stream-json') return jsonOutput(write)
  if (format === 'json') return jsonResultOutput(write)
  return quiet ? quietOutput(screen) : textOutput(screen)
}
