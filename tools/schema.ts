/** The JSON schema of a tool's arguments, as small as it can be: it stands in every prompt. */
import * as z from 'zod'
import type { Tool } from './types.ts'

/** JSON Schema (draft 2020-12) of type `object`. */
export type ToolSchema = {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, { readonly type?: string; readonly description?: string }>>
  readonly required?: readonly string[]
}

/** What the model is told of the arguments. Without `$schema`, `additionalProperties` and the bounds of safe integers. */
export function toolSchema(tool: Pick<Tool, 'input'>): ToolSchema {
  const { properties = {}, required } = z.toJSONSchema(tool.input, { io: 'input' })
  return {
    type: 'object',
    properties: trim(properties) as ToolSchema['properties'],
    ...(required?.length ? { required } : {}),
  }
}

const isNoise = (key: string, value: unknown): boolean =>
  key === '$schema' ||
  key === 'additionalProperties' ||
  (key === 'minimum' && value === Number.MIN_SAFE_INTEGER) ||
  (key === 'maximum' && value === Number.MAX_SAFE_INTEGER)

function trim(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(trim)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key, inner]) => !isNoise(key, inner))
  return Object.fromEntries(kept.map(([key, inner]) => [key, trim(inner)]))
}
