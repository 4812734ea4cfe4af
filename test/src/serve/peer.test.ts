/**
 * Another agent, whole, on our server: pi (`@mariozechner/pi-coding-agent`), which CI installs beside the tests. It is a
 * part of its own, as real weights are: `CACHALOT_PEER_AGENT` names pi's launcher.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { served, token } from './served.ts'

const agent = process.env['CACHALOT_PEER_AGENT'] ?? ''

test.runIf(agent !== '')(
  'pi writes a file by its own tool, and what it sends again is not evaluated again',
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cachalot-peer-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const call = { name: 'write', arguments: { path: 'greeting.txt', content: 'hello\n' } }
    const server = await served({
      contextTokens: 200_000,
      reply: (prompt) =>
        prompt.includes('<tool_response>')
          ? 'The file is written.<|im_end|>'
          : `I write it.\n<tool_call>\n${JSON.stringify(call)}\n</tool_call><|im_end|>`,
    })
    onTestFinished(() => server.close())
    const home = join(folder, 'home')
    const work = join(folder, 'work')
    for (const path of [home, work]) mkdirSync(path)
    const models = [{ id: 'fake', name: 'Fake', contextWindow: 200_000, maxTokens: 4096 }]
    const provider = { baseUrl: `${server.url}/v1`, api: 'openai-completions', apiKey: token, models }
    writeFileSync(join(home, 'models.json'), JSON.stringify({ providers: { cachalot: provider } }))
    const words = ['--provider', 'cachalot', '--model', 'fake', '--no-session', '-p', 'Greet me in greeting.txt']
    const { stdout } = await execa(process.execPath, [agent, ...words], {
      cwd: work,
      stdin: 'ignore',
      env: { HOME: home, PI_CODING_AGENT_DIR: home, PI_OFFLINE: '1' },
      timeout: 100_000,
    })
    expect(stdout).toContain('The file is written.')
    expect(readFileSync(join(work, 'greeting.txt'), 'utf8')).toBe('hello\n')
    const [prompts, cached] = [await server.metric('prompt_tokens_total'), await server.metric('cached_tokens_total')]
    expect(cached).toBeGreaterThan(prompts * 0.4)
  },
)
