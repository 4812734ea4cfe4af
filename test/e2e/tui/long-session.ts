/** A long session as the agent would have logged it, without the work of having it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes its log into the state folder. The last answer begins with `answer ${turns - 1}`. */
export function writeLongSession(state: string, cwd: string, turns: number): void {
  const time = new Date(0).toISOString()
  const id = '0000000000zzzzzzzzzzzzzzzz'
  const message = (of: object, segment = 'conversation') => ({ type: 'message', segment, message: of })
  const usage = {
    promptTokens: 100,
    cachedTokens: 90,
    evaluatedTokens: 10,
    generatedTokens: 50,
    prefillSeconds: 1,
    decodeSeconds: 1,
  }
  const records: object[] = [
    { type: 'header', format: 1, id, cwd, time, model: { name: 'scripted', place: 'scripted', dialect: 'scripted' } },
    message({ role: 'system', text: 'You are an agent.', tools: [] }, 'system'),
  ]
  for (let n = 0; n < turns; n += 1) {
    records.push(
      { type: 'input', time, text: `question ${n}` },
      message({ role: 'user', text: `question ${n}` }),
      message({ role: 'assistant', reasoning: '', text: `answer ${n}. ${'Some words. '.repeat(40)}`, calls: [] }),
      { type: 'usage', usage },
      { type: 'result', time, exit: 'done', text: '', summary: { steps: 1, seconds: 1, usage } },
    )
  }
  mkdirSync(join(state, 'sessions'), { recursive: true })
  writeFileSync(join(state, 'sessions', `${id}.jsonl`), records.map((one) => `${JSON.stringify(one)}\n`).join(''))
}
