/** `cachalot model path`: for scripts. */
import { findModel, isModelPath, modelPath, readGgufHeader, unknownModel } from '../../engine/index.ts'
import { modelCommand, modelInUse } from './context.ts'

/** Prints the file of a model on stdout. Exit code 1 when it is not here; UsageError for a name that nothing has. */
export function pathCommand(wanted: string | undefined): Promise<number> {
  return modelCommand(async ({ paths, folders }) => {
    const what = wanted ?? modelInUse(paths)
    if (isModelPath(what)) {
      const file = modelPath(what)
      await readGgufHeader(file)
      process.stdout.write(`${file}\n`)
      return 0
    }
    const model = await findModel(what, folders)
    if (model === undefined) throw await unknownModel(what, folders)
    if (model.onDisk) {
      process.stdout.write(`${model.file}\n`)
      return 0
    }
    process.stderr.write(`cachalot: ${model.name} is not on this machine. Run: cachalot model pull ${model.name}\n`)
    return 1
  })
}
