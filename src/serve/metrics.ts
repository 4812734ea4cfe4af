/** Counters of the server in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
import type { Usage } from '../../engine/index.ts'

export interface Metrics {
  /** A request that has its answer or its error. `status`: of HTTP; 499 for a client that went away. */
  request(api: string, status: number): void
  spent(usage: Usage): void
  /** The text; `now`: what only the moment knows. */
  text(now: { readonly running: number; readonly waiting: number }): string
}

const totals = {
  prompt_tokens_total: ['Tokens of all prompts.', (usage: Usage) => usage.promptTokens],
  cached_tokens_total: ['Those of them that were in the cache already.', (usage: Usage) => usage.cachedTokens],
  evaluated_tokens_total: ['Those of them that had to be read.', (usage: Usage) => usage.evaluatedTokens],
  generated_tokens_total: ['Tokens of all answers.', (usage: Usage) => usage.generatedTokens],
  prefill_seconds_total: ['Time spent reading.', (usage: Usage) => usage.prefillSeconds],
  decode_seconds_total: ['Time spent writing.', (usage: Usage) => usage.decodeSeconds],
} as const

/** @param about what does not change: names of the model and the program, the context's length in tokens */
export function metrics(about: {
  readonly model: string
  readonly version: string
  readonly contextTokens: number
}): Metrics {
  const requests = new Map<string, number>()
  const sums = new Map<string, number>()

  const lines = (name: string, help: string, type: 'counter' | 'gauge', samples: readonly string[]): string =>
    [
      `# HELP cachalot_${name} ${help}`,
      `# TYPE cachalot_${name} ${type}`,
      ...samples.map((one) => `cachalot_${name}${one}`),
    ].join('\n')

  return {
    request(api, status) {
      const labels = `{api="${label(api)}",status="${status}"}`
      requests.set(labels, (requests.get(labels) ?? 0) + 1)
    },
    spent(usage) {
      for (const [name, [, of]] of Object.entries(totals)) sums.set(name, (sums.get(name) ?? 0) + of(usage))
    },
    text({ running, waiting }) {
      const info = `{model="${label(about.model)}",version="${label(about.version)}"} 1`
      const parts = [
        lines('info', 'What is served.', 'gauge', [info]),
        lines('context_tokens', 'Length of the context.', 'gauge', [` ${about.contextTokens}`]),
        lines('requests_running', 'Requests being answered.', 'gauge', [` ${running}`]),
        lines('requests_waiting', 'Requests that wait for a turn.', 'gauge', [` ${waiting}`]),
        lines(
          'requests_total',
          'Requests that are over.',
          'counter',
          [...requests].map(([key, count]) => `${key} ${count}`),
        ),
        ...Object.entries(totals).map(([name, [help]]) => lines(name, help, 'counter', [` ${sums.get(name) ?? 0}`])),
      ]
      return `${parts.join('\n')}\n`
    },
  }
}

const label = (text: string): string => text.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))
