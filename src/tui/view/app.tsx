/** What Ink draws: finished lines once, into the terminal's own scrollback, and the live lines below them. */
import { Box, Static, Text, useCursor } from 'ink'
import { memo, useLayoutEffect, useRef, useSyncExternalStore } from 'react'

/** Lines that are painted already (SGR sequences of ours only), each no wider than the screen. */
export interface Batch {
  readonly id: number
  lines: readonly string[]
}

export interface View {
  /** Stable between frames without new batches: any new array makes Ink draw at once. */
  readonly batches: readonly Batch[]
  readonly live: readonly string[]
  /** How many of the first live lines are text that streams. */
  readonly streaming: number
  readonly cursor: { readonly x: number; readonly y: number } | undefined
}

export interface ViewStore {
  readonly view: () => View
  readonly subscribe: (changed: () => void) => () => void
  /** Told with each view that Ink has, before it writes it. */
  readonly rendered: (view: View) => void
}

/** An empty Text has no height. */
const row = (text: string): string => (text === '' ? ' ' : text)

/** One Text a line: Ink breaks and measures each by itself, and a long one costs more than its length. */
function rows(lines: readonly string[]) {
  return lines.map((text, n) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
    <Text key={n} wrap="truncate">
      {row(text)}
    </Text>
  ))
}

const Log = memo(function Log({ batches }: Pick<View, 'batches'>) {
  // Runs when Ink has written them: they are the terminal's now, and only their places are kept.
  const cleared = useRef(0)
  useLayoutEffect(() => {
    for (const batch of batches.slice(cleared.current)) batch.lines = []
    cleared.current = batches.length
  }, [batches])
  return (
    <Static items={batches as Batch[]}>
      {(batch) => (
        <Box key={batch.id} flexDirection="column">
          {rows(batch.lines)}
        </Box>
      )}
    </Static>
  )
})

export function App({ store }: { readonly store: ViewStore }) {
  const view = useSyncExternalStore(store.subscribe, store.view)
  const { batches, live, cursor } = view
  store.rendered(view)
  const { setCursorPosition } = useCursor()
  setCursorPosition(cursor === undefined ? undefined : { ...cursor })
  return (
    <>
      <Log batches={batches} />
      <Box flexDirection="column">{rows(live)}</Box>
    </>
  )
}
