export { readGgufHeader } from './header.ts'
export { type GgufHeader, type GgufTensor, type GgufValue, metaNumber, metaString } from './types.ts'
