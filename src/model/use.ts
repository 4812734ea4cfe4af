/** `cachalot model use`: one line of the user's config.toml. */
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { findModel, isModelPath, modelPath, readGgufHeader, unknownModel } from '../../engine/index.ts'
import { userFile } from '../config/sources.ts'
import type { Paths } from '../paths.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'
import { modelCommand, modelInUse } from './context.ts'
import { withModel } from './with-model.ts'

/** Makes a known model, or a file that is one, the model in use. UsageError for a name that nothing has. */
export function useCommand(wanted: string): Promise<number> {
  return modelCommand(async ({ paths, folders }) => {
    let value = wanted
    let hint = ''
    if (isModelPath(wanted)) {
      value = modelPath(wanted)
      await readGgufHeader(value)
    } else {
      const model = await findModel(wanted, folders)
      if (model === undefined) throw await unknownModel(wanted, folders)
      value = model.name
      if (!model.onDisk) hint = ` It is not on this machine yet: cachalot model pull ${model.name}`
    }
    await chooseModel(value, paths)
    process.stderr.write(`${sanitizeLine(`${value} is the model in use now (${userFile(paths)}).${hint}`)}\n`)
    const inUse = modelInUse(paths)
    if (inUse !== value) {
      process.stderr.write(
        `${sanitizeLine(`here, ${inUse} is used all the same: see cachalot config for what says so`)}\n`,
      )
    }
    return 0
  })
}

/** Writes the choice to the user's config.toml, whole or not at all; the rest of the file stays as it is. */
export async function chooseModel(model: string, paths: Paths): Promise<void> {
  const file = userFile(paths)
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  })
  await mkdir(dirname(file), { recursive: true })
  await replaceFile(file, withModel(before, model, file))
}

/** Through a link to the file itself (settings are often kept elsewhere), keeping its mode; never half of it. */
async function replaceFile(path: string, text: string): Promise<void> {
  // Not there yet: it is made where the path says.
  const file = await realpath(path).catch(() => path)
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => 0o644,
  )
  const draft = `${file}.${process.pid}.new`
  try {
    const handle = await open(draft, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw new UsageError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
