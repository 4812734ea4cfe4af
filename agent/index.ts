/** The face of the agent room: the loop and what surrounds it. Other rooms import only this file. */
export * from './events.ts'
