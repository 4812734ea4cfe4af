/** `node pack-once.ts ROOT CACHE BUDGET`: packs a repository as a session would and prints what that took, as JSON. */
import { planRepository } from '../../agent/context/repository/plan.ts'
import { openCode, renderOutline } from '../../tools/index.ts'

const [root = '', cache = '', budget = '0'] = process.argv.slice(2)
const began = performance.now()
const code = openCode({ folder: cache })
const plan = await planRepository({
  root,
  budgetTokens: Number(budget),
  // As near as no model comes; counting is the engine's work and measured there.
  countTokens: async (text) => Math.ceil(text.length / 3.4),
  async outlineOf(path, text) {
    const entries = await code.outline(path, text)
    return entries === undefined ? undefined : renderOutline(entries)
  },
  rankOf: code.rank,
})
const seconds = (performance.now() - began) / 1000
await code.close()
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
const count = (state: string): number => plan.files.filter((file) => file.state === state).length
process.stdout.write(
  JSON.stringify({
    seconds,
    processorSeconds: (userCPUTime + systemCPUTime) / 1e6,
    megabytes: maxRSS / 1024,
    files: plan.files.length,
    whole: count('whole'),
    outlined: count('outlined'),
    tokens: plan.tokens,
  }),
)
