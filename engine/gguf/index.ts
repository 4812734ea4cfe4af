export { readGgufHeader } from './header.ts'
export { modelIdentity } from './identity.ts'
export { partNames } from './parts.ts'
export {
  type GgufArray,
  type GgufHeader,
  type GgufScalar,
  type GgufTensor,
  type GgufValue,
  metaNumber,
  metaString,
} from './types.ts'
