/** `cachalot remote`: the presets, and how to serve DeepSeek V4 for each of them. */
import { isPeak, type RemotePreset, remotePresets } from '../../engine/index.ts'
import { nearest } from '../nearest.ts'
import { UsageError } from '../usage-error.ts'

/** Prints every preset on a line. */
export function listPresets(): void {
  const presets = Object.values(remotePresets)
  const width = Math.max(...presets.map((preset) => preset.name.length))
  for (const { name, title, baseUrl } of presets) process.stdout.write(`${name.padEnd(width)}  ${title}, ${baseUrl}\n`)
}

/** Prints what a preset sets and the commands that serve V4. Throws UsageError for a name that is none. */
export function showPreset(name: string, now: Date = new Date()): void {
  const preset = Object.values(remotePresets).find((candidate) => candidate.name === name)
  if (preset === undefined) {
    const names = Object.keys(remotePresets)
    const meant = nearest(name, names)
    throw new UsageError(
      `there is no preset "${name}"${meant === undefined ? '.' : `; did you mean "${meant}"?`} Known: ${names.join(', ')}`,
    )
  }
  process.stdout.write(`${describe(preset, now).join('\n')}\n`)
}

function describe(preset: RemotePreset, now: Date): string[] {
  const { name, title, baseUrl, model, apiKeyEnv, levels, usual, prices, serve } = preset
  return [
    `${name}: ${title}`,
    `  address   ${baseUrl}   (other: --base-url)`,
    `  model     ${model ?? 'name it with --model'}`,
    ...(apiKeyEnv === undefined ? [] : [`  key       in ${apiKeyEnv}   (other variable: --api-key-env)`]),
    `  effort    ${levels.join(', ')}; ${usual === undefined ? "the server's own where none is asked for" : `${usual} where none is asked for`}`,
    ...Object.entries(prices).map(
      ([priced, { hit, miss, output }]) =>
        `  price     ${priced}: $${hit} cached, $${miss} new, $${output} written, a million tokens each, off-peak`,
    ),
    ...(Object.keys(prices).length === 0
      ? []
      : [
          `            twice that 01–04 and 06–10 UTC, Monday to Friday: ${isPeak(now) ? 'now' : 'not now'} (as of 2026-11-15)`,
        ]),
    ...serve.flatMap((step) => ['', `${step.title}:`, `  ${step.command}`]),
    '',
    `Then: cachalot --preset ${name}${model === undefined ? ' --model <name>' : ''}`,
  ]
}
