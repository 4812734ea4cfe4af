export { chooseEffort, type Effort, EffortError } from './effort.ts'
export { type DialectFamily, type DialectOptions, dialectByName, dialects } from './families.ts'
