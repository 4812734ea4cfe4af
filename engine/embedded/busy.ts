/** What a person is told of threads that the model gives up to others. */

/** Half of the threads must be gone for so long (ms): our own front end, builds and tests are such neighbours, too, and soon done. */
const lastingMs = 5000
/** At least so long (ms) between two such notices. */
const quietMs = 60_000

/** Takes each change of the threads; tells when half of them are gone for a while, and when that is over. */
export function busyNotices(tell: (text: string) => void): (threads: number, most: number) => void {
  let waiting: NodeJS.Timeout | undefined
  let told = false
  let toldAt = Number.NEGATIVE_INFINITY
  let now = 0
  return (threads, most) => {
    now = threads
    if (threads > most / 2) {
      clearTimeout(waiting)
      waiting = undefined
      if (told) tell(`The processor is free again: the model runs on ${threads} threads.`)
      told = false
      return
    }
    if (told || waiting || performance.now() - toldAt < quietMs) return
    waiting = setTimeout(() => {
      waiting = undefined
      told = true
      toldAt = performance.now()
      tell(`Other programs keep the processor busy: the model runs on ${now} of ${most} threads for now.`)
    }, lastingMs)
    waiting.unref()
  }
}
