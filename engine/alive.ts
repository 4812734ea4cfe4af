/** Whether a process that left something behind is still there. */

/** Whether a process of this number is there, whoever's it is; one that ended and was not waited for counts as there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
