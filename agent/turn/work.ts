/** Work that tells of its progress and can be walked away from. */

/** How long an interrupted reply or command may take to end by itself before we stop waiting. In milliseconds. */
const grace = 200

export type Step<Progress, Result> =
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** The last step of work that was waited for to its end. */
  | { readonly kind: 'end'; readonly result: Result }

/**
 * Runs `work` and yields what it tells, in order, then its result. When the signal aborts, the work (which gets the same
 * signal from its maker) has 200 ms to end; after that no more steps come, because a person who pressed Esc waits for
 * nothing. What is still going on then, or when the reader leaves early, is handed to `leave`. Rejects when the work
 * does.
 */
export async function* follow<Progress, Result>(
  work: (tell: (progress: Progress) => void) => Promise<Result>,
  { signal, leave }: { readonly signal: AbortSignal; readonly leave: (rest: Promise<unknown>) => void },
): AsyncGenerator<Step<Progress, Result>> {
  const told: Progress[] = []
  let state: 'running' | 'over' | 'late' = 'running'
  let wake = Promise.withResolvers<void>()
  const enter = (next: typeof state) => {
    if (state !== 'over') state = next
    wake.resolve()
  }
  const running = work((progress) => {
    told.push(progress)
    wake.resolve()
  })
  running.then(
    () => enter('over'),
    () => enter('over'),
  )
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(enter, grace, 'late')
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      while (told.length > 0) yield { kind: 'progress', progress: told.shift()! }
      if (currently() === 'over') {
        yield { kind: 'end', result: await running }
        return
      }
      if (currently() === 'late') return
      await wake.promise
      wake = Promise.withResolvers()
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    if (currently() !== 'over') leave(running)
  }

  /** A call, because the compiler does not see that callbacks change the variable. */
  function currently(): typeof state {
    return state
  }
}
