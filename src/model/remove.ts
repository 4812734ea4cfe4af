/** `cachalot model rm`. */
import { findModel, removeModel, unknownModel } from '../../engine/index.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { modelCommand, modelInUse } from './context.ts'

/** Deletes a download, forgets an added file. UsageError for a name that nothing has; 1 when there is nothing to remove. */
export function removeCommand(wanted: string): Promise<number> {
  return modelCommand(async ({ paths, folders }) => {
    const model = await findModel(wanted, folders)
    if (model === undefined) throw await unknownModel(wanted, folders)
    const own = model.record?.owner === 'own' ? model.record.file : undefined
    const removed = await removeModel(model, folders)
    if (removed.file === undefined && !removed.record && model.partBytes === 0) {
      process.stderr.write(`cachalot: ${model.name} is not on this machine; nothing to remove\n`)
      return 1
    }
    if (removed.file !== undefined) say(`deleted ${removed.file}`)
    else if (model.partBytes > 0) say(`deleted the unfinished download of ${model.name}`)
    if (own !== undefined) say(`forgot ${model.name}; your file stays: ${own}`)
    if (modelInUse(paths) === model.name) say(`${model.name} is still the model in use; it would be fetched again`)
    return 0
  })
}

const say = (text: string): boolean => process.stderr.write(`${sanitizeLine(text)}\n`)
