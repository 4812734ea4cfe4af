/** Many runs at once on one endpoint: what each of them must have got, and nothing of another's. */
import { type FakeOpenAi, startFakeOpenAi } from '../../fake-openai/server.ts'
import { editCall, shellCall } from '../calls.ts'
import { eventsOf, type Scratch, scratch } from '../program.ts'

export interface ManyRuns {
  readonly seconds: number
  /** What was wrong, a line each; empty when nothing was. */
  readonly problems: readonly string[]
}

/** Starts `count` runs together. Each has a repository, a task and words of its own; all ask one server. */
export async function manyRuns(count: number): Promise<ManyRuns> {
  const places: Scratch[] = []
  const server = await startFakeOpenAi(({ messages }) => {
    // The server has no memory: whose request it is stands in the task.
    const mark = /mark-\d+-/.exec(JSON.stringify(messages))?.[0] ?? 'nobody'
    return [
      { text: `I am ${mark}. `.repeat(20), calls: [shellCall(`echo ${mark} >> ran.txt`)], chunkMs: 2 },
      { calls: [editCall('a.txt', 'one', mark)] },
      { text: `All of ${mark} is done.` },
    ]
  })
  try {
    const began = performance.now()
    const problems = await Promise.all(
      Array.from({ length: count }, async (_, number) => {
        const place = scratch({ 'a.txt': 'one\n' })
        places.push(place)
        return await oneRun(place, server, `mark-${number}-`)
      }),
    )
    const asked = server.requests.length
    const lost = asked === 3 * count ? [] : [`${asked} requests instead of ${3 * count}`]
    return { seconds: (performance.now() - began) / 1000, problems: [...problems.flat(), ...lost] }
  } finally {
    for (const place of places) place.remove()
    await server.close()
  }
}

async function oneRun(place: Scratch, { baseUrl }: FakeOpenAi, mark: string): Promise<string[]> {
  const words = ['run', `Change a.txt: ${mark}`, '--json', '--base-url', baseUrl, '--model', 'fake']
  const { stdout, exitCode, stderr } = await place.run(words, { timeout: 600_000 })
  const problems: string[] = []
  const expected = (what: string, holds: boolean): void => {
    if (!holds) problems.push(`${mark}: ${what}`)
  }
  const events = eventsOf(stdout)
  expected(`exit ${exitCode}: ${stderr}`, exitCode === 0)
  const ends = events.filter(({ type }) => type === 'result').length
  expected('the last event is the only result', events.at(-1)?.type === 'result' && ends === 1)
  const text = events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')
  expected('its text is whole and in order', text === `${`I am ${mark}. `.repeat(20)}All of ${mark} is done.`)
  expected('each call has its result', events.filter(({ type }) => type === 'tool-result').length === 2)
  const others = new Set(String(stdout).match(/mark-\d+-/g))
  expected(`words of ${[...others].join(' ')}`, others.size === 1 && others.has(mark))
  expected('its files', place.read('a.txt') === `${mark}\n` && place.read('ran.txt') === `${mark}\n`)
  return problems
}
