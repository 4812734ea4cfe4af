/** One change at a time in a work tree, so that calls that run side by side do not undo each other. */

const tails = new Map<string, Promise<unknown>>()

/** Runs `work` when all earlier work for `root` has ended, however it ended. */
export async function inTurn<T>(root: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(root) ?? Promise.resolve()
  const mine = before.then(work, work)
  tails.set(root, mine)
  try {
    return await mine
  } finally {
    if (tails.get(root) === mine) tails.delete(root)
  }
}
