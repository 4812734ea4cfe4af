/** What a session begins with, counted with the default model's own tokenizer (CACHALOT_REAL_MODEL; both sizes have the same). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { usualTools } from '../../agent/context/tools.ts'
import { type Dialect, dialectByName, type ModelInfo, openEngine, type SystemMessage } from '../../engine/index.ts'
import { allTools, type Tool, toolSchema } from '../../tools/index.ts'

const file = process.env['CACHALOT_REAL_MODEL'] ?? ''

const promptOf = (name: 'small' | 'system', tools: readonly Tool[]): SystemMessage => ({
  role: 'system',
  text: readFileSync(new URL(`../../agent/prompts/${name}.md`, import.meta.url), 'utf8').trim(),
  tools: tools.map((tool) => ({ name: tool.name, description: tool.description, parameters: toolSchema(tool) })),
})

/** Our words and the schemas, as a dialect writes them; without its own words around the tools, which no schema changes. */
async function tokensOf(dialect: Dialect, message: SystemMessage): Promise<number> {
  const engine = await openEngine({ file, contextTokens: 512, gpuLayers: 0 })
  try {
    let tokens = 0
    for (const { text, control } of dialect.encode(message, undefined)) {
      if (!control) tokens += (await engine.tokenize(text, { control })).length
    }
    return tokens
  } finally {
    await engine.close()
  }
}

test.runIf(file !== '')('at most 500 tokens for small models, 1,300 with every tool for others', async () => {
  const small = { prompt: 'small' } as ModelInfo
  expect(await tokensOf(dialectByName('fenced'), promptOf('small', usualTools(small, undefined)))).toBeLessThan(500)
  const all = await tokensOf(dialectByName('qwen'), promptOf('system', allTools))
  expect(all).toBeGreaterThan(800)
  expect(all).toBeLessThanOrEqual(1300)
})
