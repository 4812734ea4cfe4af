/** The face of the sandbox room: what a command may touch. Other rooms import only this file. */
export { openSandbox, type SandboxOptions } from './open.ts'
export { allGuarantees, checkPolicy, guaranteeText, missingGuarantees } from './policy.ts'
export { plainText } from './terminal.ts'
export * from './types.ts'
export { openWorkspace } from './workspace/open.ts'
