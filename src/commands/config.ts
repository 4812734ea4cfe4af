import { resolve } from 'node:path'
import { resolveConfig } from '../config/resolve.ts'
import { settingNames, settings } from '../config/settings.ts'
import { resolvePaths } from '../paths.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'

/** Prints every setting with its value and origin, then what was ignored. Throws UsageError for a wrong file. */
export function showConfig(flags: { readonly cwd?: string }): void {
  const { config, origins, warnings } = resolveConfig({
    cwd: resolve(flags.cwd ?? '.'),
    paths: resolvePaths(),
    environment: process.env,
    flags: {},
  })
  const width = Math.max(...settingNames.map((name) => settings[name].key.length))
  for (const name of settingNames) {
    const value = config[name] === undefined ? '(not set)' : JSON.stringify(config[name])
    process.stdout.write(
      `${settings[name].key.padEnd(width)}  ${sanitizeLine(value)}  ${sanitizeLine(origins[name])}\n`,
    )
  }
  for (const { origin, ...rule } of config.rules) {
    process.stdout.write(`${'rule'.padEnd(width)}  ${sanitizeLine(JSON.stringify(rule))}  ${sanitizeLine(origin)}\n`)
  }
  for (const { name, command, args, url, allow } of config.servers) {
    const what = `${command === undefined ? url : [command, ...args].join(' ')}, allow ${JSON.stringify(allow)}`
    process.stdout.write(`${`mcp.${name}`.padEnd(width)}  ${sanitizeLine(what)}\n`)
  }
  for (const text of warnings) process.stderr.write(`cachalot: warning: ${sanitizeLine(text)}\n`)
}
