/** A picture on the clipboard, by the program that the desktop has for it. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Programs that write the clipboard's picture to their output, for this desktop. */
function readers(environment: Environment, platform: string): [command: string, words: string[]][] {
  if (platform === 'darwin') return [['pngpaste', ['-']]]
  return [
    ...(environment['WAYLAND_DISPLAY'] ? [['wl-paste', ['--type', 'image/png']] as [string, string[]]] : []),
    ...(environment['DISPLAY']
      ? [['xclip', ['-selection', 'clipboard', '-t', 'image/png', '-o']] as [string, string[]]]
      : []),
  ]
}

/** Saves the clipboard's picture in the folder and gives its path; in words why there is none. */
export async function clipboardPicture(
  folder: string,
  environment: Environment,
  platform: string = process.platform,
): Promise<{ readonly file: string } | { readonly problem: string }> {
  const programs = readers(environment, platform)
  if (programs.length === 0) return { problem: 'there is no desktop here whose clipboard could hold a picture' }
  for (const [command, words] of programs) {
    const bytes = await output(command, words, environment)
    if (bytes === undefined || bytes.length === 0) continue
    const file = join(folder, `clipboard-${Date.now()}.png`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(file, bytes, { mode: 0o600 })
    return { file }
  }
  const names = programs.map(([command]) => command).join(' or ')
  return { problem: `no picture on the clipboard (read with ${names}, which has to be installed)` }
}

/** What the program wrote; undefined when it is not there or failed. */
function output(command: string, words: readonly string[], environment: Environment): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    execFile(
      command,
      words,
      { encoding: 'buffer', maxBuffer: 32 << 20, timeout: 3000, env: { ...environment } },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    )
  })
}
