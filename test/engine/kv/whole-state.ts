/** States as one piece of memory, for tests that compare them. */
import { readState, writeState } from '../../../engine/kv/envelope.ts'

export interface WholeState {
  readonly key: string
  readonly tokens: Int32Array
  readonly parts: readonly Buffer[]
}

export const writeWhole = (file: string, state: WholeState): Promise<number> => writeState(file, state)

export const readWhole = (file: string): Promise<WholeState> =>
  readState(file, async ({ key, tokens, parts }) => {
    const whole: Buffer[] = []
    for await (const part of parts) whole.push(Buffer.from(part))
    return { key, tokens, parts: whole }
  })
