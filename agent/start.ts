/** The beginning of a conversation: what is in front of the model before the first task. */
import { buildPrefix } from './context/prefix.ts'
import { withRepository } from './context/repository/resident.ts'
import { sessionTools } from './context/tools.ts'
import { Conversation } from './conversation.ts'
import type { LoadedLog } from './log/load.ts'
import type { LogWriter } from './log/write.ts'
import type { Memory } from './memory.ts'
import type { ResolvedOptions } from './options.ts'

/** As an earlier session was, where its log was loaded; else system, tools, instructions and the repository. Rejects as `Conversation.start`. */
export async function startConversation(
  options: ResolvedOptions,
  memory: Memory,
  log: LogWriter,
  loaded: LoadedLog | undefined,
): Promise<Conversation> {
  const { model, workspace, instructions = true, appendSystem } = options
  const earlier = loaded?.segments ?? []
  if (earlier.length > 0) return await Conversation.start(model, log, earlier, true)
  const plain = await buildPrefix({
    info: model.info,
    tools: sessionTools(options),
    workspace,
    instructions,
    appendSystem,
  })
  const { prefix, known } = await withRepository(plain, options.repository, { model, workspace })
  memory.resident(known)
  return await Conversation.start(model, log, prefix, false)
}
