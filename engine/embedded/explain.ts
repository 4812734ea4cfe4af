/** From the library's log to a sentence for a person. The library tells the causes of its failures nowhere else. */
import { EngineError } from '../engine.ts'
import { HostFailure } from './failure.ts'

/** The last line of a log that names a failure. */
function lastComplaint(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => /error|fail|assert|unknown|invalid|missing|terminate/i.test(line))
  return lines.at(-1)?.trim().slice(0, 300)
}

/** Why a host process is gone. */
export function explainDeath(code: number | null, signal: NodeJS.Signals | null, log: string): string {
  if (signal === 'SIGKILL') return 'it was killed (by somebody, or by the system for lack of memory)'
  const complaint = lastComplaint(log)
  const how = signal ? `signal ${signal}` : `exit code ${code}`
  return complaint ? `${how}, ${complaint}` : how
}

/** The error of a failed load, with the cause that the log names. */
export function explainLoad(error: unknown, log: string, file: string): unknown {
  if (!(error instanceof EngineError)) return error
  if (error.kind === 'died') {
    const complaint = lastComplaint(log)
    // An assertion ends the process: the file is at fault, not the machine.
    if (complaint && /assert/i.test(complaint))
      return new EngineError('not-gguf', `the engine cannot load ${file}: ${complaint}`, { cause: error })
    return error
  }
  if (!(error instanceof HostFailure) || (error.kind !== 'not-gguf' && error.kind !== 'memory')) return error
  const architecture = /unknown model architecture: '([^']*)'/.exec(log)?.[1]
  if (architecture !== undefined)
    return new EngineError(
      'architecture',
      `the embedded engine (llama.cpp v0.4.0) does not know the architecture '${architecture}' of ${file}. ` +
        'Use another model (cachalot model list), or this one on a server: cachalot run --base-url …',
      { cause: error },
    )
  if (/failed to allocate|unable to allocate|out of memory|cannot allocate/i.test(log))
    return new EngineError(
      'memory',
      `there is not enough memory for ${file}. Use a smaller model (cachalot model list) or a shorter context (--context)`,
      { cause: error },
    )
  const complaint = /error loading model: (.*)/.exec(log)?.[1]?.slice(0, 300) ?? lastComplaint(log)
  return new EngineError(error.kind, complaint ? `${error.message}: ${complaint}` : error.message, { cause: error })
}
