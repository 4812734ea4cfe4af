/** Runs with nobody watching: fifty at once on one endpoint. */
import { manyRuns } from '../../test/e2e/unattended/many.ts'

/** Lines of a Markdown table. */
export async function benchUnattended(count = 50): Promise<string[]> {
  const { seconds, problems } = await manyRuns(count)
  return [
    '| what | value |',
    '|---|---|',
    `| ${count} runs at once on one endpoint, three requests each | ${seconds.toFixed(1)} s |`,
    `| lost events, words of another run, wrong files | ${problems.length === 0 ? 'none' : problems.length} |`,
    ...problems.slice(0, 10).map((problem) => `| | ${problem} |`),
  ]
}
