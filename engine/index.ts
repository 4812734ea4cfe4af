/** The face of the engine room: tokens in, tokens out. Other rooms import only this file. */
export type * from './dialect.ts'
export * from './engine.ts'
export type * from './messages.ts'
export type * from './model.ts'
