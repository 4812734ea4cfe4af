import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { dialectByName, type Effort, type Message } from '../../../engine/index.ts'
import { render } from './parse.ts'

interface Case {
  readonly dialect: string
  readonly effort?: Effort
  readonly name: string
  readonly template: string
  readonly messages: readonly Message[]
  readonly rendered: string
}

const fixture = new URL('../../fixtures/dialects/rendered.json', import.meta.url)
const { cases }: { cases: readonly Case[] } = JSON.parse(readFileSync(fixture, 'utf8'))

describe('byte for byte what the published template gives', () => {
  test.each(cases)('$dialect: $name (effort $effort, $template)', ({ dialect, effort, messages, rendered }) => {
    expect(render(dialectByName(dialect, { effort }), messages)).toBe(rendered)
  })
})
