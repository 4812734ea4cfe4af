/**
 * One word in the place of another, letter by letter. Which word becomes which is what the task says; a model would only copy
 * the files, slower and with slips. It is one call of the tool `edit`, so that it is allowed, asked about, shown, written as a
 * whole and undone as any other.
 */
import { fingerprint, unifiedDiff } from '../tools/index.ts'
import { isPlain, wholeWord } from './context/exchange.ts'
import { type Steps, someOf } from './context/steps.ts'
import type { AgentEvent } from './events.ts'
import { runCalls } from './turn/calls.ts'
import { writeGuard } from './turn/guard.ts'
import type { Spending } from './turn/limits.ts'
import type { Ending } from './turn/outcome.ts'
import { repeats } from './turn/repeats.ts'
import { halted } from './turn/rounds.ts'
import type { Turn } from './turn/turn.ts'

/** Where it does not end as done, the files may be changed and are not as they should be. */
export async function* exchanged(
  turn: Turn,
  spending: Spending,
  task: string,
  { exchange: { word, by }, places }: Pick<Steps, 'places'> & { readonly exchange: NonNullable<Steps['exchange']> },
): AsyncGenerator<AgentEvent, Ending> {
  const { conversation, toolContext } = turn
  const { workspace } = toolContext
  if (isPlain(word)) {
    const text = `${word} is a plain word: where it means something else it becomes ${by}, too. Look at the changes.`
    yield { type: 'notice', level: 'warning', text }
  }
  const after = new Map<string, string>()
  const diffs: string[] = []
  const there: string[] = []
  const owners = new Map<string, number>()
  let times = 0
  for (const { path } of places) {
    const bytes = await workspace.read(path)
    const before = plain(bytes)
    if (wholeWord([by], path).test(before)) there.push(path)
    times += before.match(wholeWord([word], path))?.length ?? 0
    countOwners(before, word, owners)
    const next = before.replace(wholeWord([word], path), () => by)
    after.set(path, next)
    diffs.push(unifiedDiff(path, toLf(before), toLf(next)))
    toolContext.seen?.set(path, fingerprint(bytes))
  }
  if (there.length > 0) {
    const text = `${by} stands in ${someOf(there)} already: the two are one name there from now on. Look at the changes.`
    yield { type: 'notice', level: 'warning', text }
  }

  if (owners.size > 0) {
    const text = `${word} is also what something else has: ${ownersText(owners, word)}. There it became ${by}, too. Look at the changes.`
    yield { type: 'notice', level: 'warning', text }
  }

  const mark = await conversation.mark(true)
  const call = { id: `exchange_${conversation.placed.length}`, name: 'edit', arguments: { patch: diffs.join('') } }
  const message = { role: 'assistant', reasoning: '', text: '', calls: [call] } as const
  await conversation.append([{ role: 'user', text: task }, message])
  const signal = AbortSignal.any([turn.signal, spending.overdue])
  const guard = writeGuard({
    ...{ task, workspace, mine: turn.changes.made, parts: turn.parts },
    ...{ unseen: false, quotes: turn.info.finishes === 'edits' },
  })
  const reply = { kind: 'whole', message, stop: 'end', problems: [], cutCall: undefined } as const
  const explored = () => undefined
  const [outcome] = yield* runCalls(turn, reply, { circles: repeats(), guard, signal, explored })
  const stopped = halted(turn, spending)
  if (stopped !== undefined) return stopped
  if (outcome === undefined || !outcome.result.ok) {
    const isDenied = outcome?.why === 'denied' || outcome?.why === 'forbidden'
    return { exit: isDenied ? 'denied' : 'not-done', text: outcome?.result.content ?? '' }
  }
  for (const [path, text] of after) {
    const isDone = plain(await workspace.read(path)) === text
    if (!isDone) return { exit: 'not-done', text: `${path} did not become what it should.` }
  }
  const text = `${word} is ${by} now, ${times} times in ${after.size} ${after.size === 1 ? 'file' : 'files'}.`
  if (mark !== undefined) {
    // The patch may be long, and the files tell what it was.
    await conversation.rewind(mark)
    const said = { role: 'assistant', reasoning: '', text, calls: [] } as const
    await conversation.append([{ role: 'user', text: task }, said])
  }
  return { exit: 'done', text }
}

/** Imported names that stand before `.word` or `::word`: what is imported may have a thing of its own by that name. */
function countOwners(text: string, word: string, owners: Map<string, number>): void {
  const owned = new RegExp(
    `(?<![\\p{L}\\p{N}_$])([\\p{L}_$][\\p{L}\\p{N}_$]*)(?:\\.|::)(?=${wholeWord([word], '').source})`,
    'gu',
  )
  const imports = text.split('\n').filter((line) => line.length < longestImport && importing.test(line))
  const imported = new Set(imports.flatMap((line) => line.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []))
  for (const [, owner = ''] of text.matchAll(owned))
    if (imported.has(owner)) owners.set(owner, (owners.get(owner) ?? 0) + 1)
}

const longestImport = 500
/** Also the lines of Go's blocks: `"net/http"`. */
const importing = /^\s*(?:(?:import|from|use|using|#\s*include)\b|(?:[\w.]+\s+)?"[^"\s]+"\s*$)|\brequire\(/

/** The most frequent ones. */
const ownersText = (owners: ReadonlyMap<string, number>, word: string): string => {
  const all = [...owners].sort((one, other) => other[1] - one[1])
  const some = all.slice(0, 5).map(([owner, times]) => `${owner}.${word} (${times})`)
  return all.length > some.length ? `${some.join(', ')} and ${all.length - some.length} more` : some.join(', ')
}

const plain = (bytes: Buffer): string => bytes.toString('utf8').replace(/^\ufeff/, '')
const toLf = (text: string): string => text.replaceAll('\r\n', '\n')
