/** The face of the sandbox room: what a command may touch. Other rooms import only this file. */
export * from './types.ts'
