/**
 * Raw single shot: the model asked once, plainly, the file in the prompt and the whole file back in one fence. What the
 * agent is measured against: the difference is the harness's tax, or its gain.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Model, Usage } from '../../engine/index.ts'
import type { Task } from './tasks.ts'

/** The text of the last code fence of a reply, or undefined when there is none. */
export function lastFence(reply: string): string | undefined {
  const fences = [...reply.matchAll(/^```[^\n]*\n([\s\S]*?)^```\s*$/gm)]
  return fences.at(-1)?.[1]
}

/** The one file that the task is about: the first that is not empty. */
export function subject(task: Task): string {
  return Object.keys(task.files).find((path) => task.files[path] !== '') ?? Object.keys(task.files)[0]!
}

/** Asks once, greedily, and writes the answer into the folder. `answered` is false when no fence came back. */
export async function raw(task: Task, folder: string, model: Model): Promise<{ answered: boolean; usage: Usage }> {
  const path = subject(task)
  const prompt = `${path}\n\`\`\`${task.lang}\n${task.files[path]}\`\`\`\n\n${task.prompt}\n\nReply with the complete new text of ${path} in one code block.`
  const session = await model.start([
    { name: 'system', messages: [{ role: 'system', text: 'You are a helpful assistant.', tools: [] }] },
    { name: 'conversation', messages: [{ role: 'user', text: prompt }] },
  ])
  let reply = ''
  try {
    for await (const event of session.respond({
      signal: new AbortController().signal,
      maxTokens: 2048,
      sampling: { temperature: 0, repeatPenalty: 1 },
    })) {
      if (event.type === 'text') reply += event.text
      if (event.type === 'error') throw new Error(event.failure.message)
    }
    const fence = lastFence(reply)
    if (fence !== undefined) writeFileSync(join(folder, path), fence)
    return { answered: fence !== undefined, usage: session.usage }
  } finally {
    await session.close()
  }
}
