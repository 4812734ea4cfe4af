/** Work of the model that has to be done for anything to go on. */

/** The model could not even be given the messages (its engine died and did not come back). They are in the log. */
export class ModelUnavailable extends Error {
  override readonly name = 'ModelUnavailable'
}

/** Rejects with ModelUnavailable where the model's work does. */
export async function reached(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    throw new ModelUnavailable(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
