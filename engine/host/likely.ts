/** The most likely tokens of a place. */

/** The first of the greatest. Four maxima beside each other take a third of the time of one, with each token of a reply. */
export function argmax(values: Float32Array): number {
  const even = values.length - (values.length % 4)
  let a = Number.NEGATIVE_INFINITY
  let b = a
  let c = a
  let d = a
  for (let i = 0; i < even; i += 4) {
    const e = values[i] as number
    const f = values[i + 1] as number
    const g = values[i + 2] as number
    const h = values[i + 3] as number
    if (e > a) a = e
    if (f > b) b = f
    if (g > c) c = g
    if (h > d) d = h
  }
  for (let i = even; i < values.length; i++) if ((values[i] as number) > a) a = values[i] as number
  // Not found: there is none, or nothing but what is no number.
  return Math.max(0, values.indexOf(Math.max(a, b, c, d)))
}

/** The most likely token, and how far its logit is above the next one's. */
export function lead(values: Float32Array): { readonly token: number; readonly by: number } {
  let token = 0
  let most = Number.NEGATIVE_INFINITY
  let next = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value > most) {
      next = most
      most = value
      token = i
    } else if (value > next) next = value
  }
  return { token, by: most - next }
}

/** The `count` most likely ones, the likeliest first. */
export function mostLikely(values: Float32Array, count: number): Int32Array {
  // A heap whose root is the least likely one that is kept.
  const heap = new Int32Array(Math.min(count, values.length))
  const at = (i: number) => values[heap[i] as number] as number
  const sink = (from: number) => {
    for (let i = from; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && at(child) < at(least)) least = child
      if (least === i) return
      const held = heap[i] as number
      heap[i] = heap[least] as number
      heap[least] = held
      i = least
    }
  }
  for (let i = 0; i < heap.length; i++) heap[i] = i
  for (let i = heap.length >> 1; i >= 0; i--) sink(i)
  let floor = heap.length === 0 ? 0 : at(0)
  for (let token = heap.length; token < values.length; token++) {
    if ((values[token] as number) <= floor) continue
    heap[0] = token
    sink(0)
    floor = at(0)
  }
  return heap.sort((a, b) => (values[b] as number) - (values[a] as number))
}
