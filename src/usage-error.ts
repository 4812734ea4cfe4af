/** A mistake in what the user asked for (argument, setting, file name): exit code 2, before anything ran. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Exit code of a usage error; those of a run are in agent's `exitCode`. */
export const usageExitCode = 2
