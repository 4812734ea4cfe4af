/** The face of the tools room: what the model may do. Other rooms import only this file. */
export type * from './types.ts'
