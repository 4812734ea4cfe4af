/** The face of the engine room: tokens in, tokens out. Other rooms import only this file. */
export * from './catalog/index.ts'
export type * from './dialect.ts'
export {
  type DialectFamily,
  type DialectOptions,
  dialectByName,
  dialects,
  type Effort,
  EffortError,
} from './dialects/index.ts'
export * from './embedded/index.ts'
export * from './engine.ts'
export * from './gguf/index.ts'
export { findLibraryFolder } from './host/library-folder.ts'
export * from './kv/index.ts'
export type * from './messages.ts'
export type * from './model.ts'
export { openRemote, type RemoteOptions, RemoteSetupError } from './remote/model.ts'
export { isPeak, type PresetName, type Price, type RemotePreset, remotePresets } from './remote/presets.ts'
export { type ScriptedModel, type ScriptedRequest, scriptedModel } from './scripted/model.ts'
export {
  loadScript,
  parseScript,
  type ReplyFunction,
  type Script,
  ScriptError,
  type ScriptedReply,
} from './scripted/script.ts'
export { type EmbeddedOptions, openEmbedded } from './session/embedded.ts'
export { stopText } from './session/stop-text.ts'
export { addUsage, noUsage } from './session/usage.ts'
