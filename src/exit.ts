/** Longest wait for a reader that does not read: then the process ends without it. */
const flushMs = 2000

/** Ends the process once stdout has taken what was written, or after the time. Never returns to its caller's work. */
export function exitAfterFlush(code: number, withinMs: number = flushMs): void {
  const leave = (): never => process.exit(code)
  setTimeout(leave, withinMs)
  if (process.stdout.destroyed) leave()
  // Called with an error too when nobody reads any more.
  process.stdout.write('', leave)
}
