export { openEngine } from './open.ts'
