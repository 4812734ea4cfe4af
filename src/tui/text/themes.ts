/** Colours for each role, on dark and light backgrounds; and how a line becomes text with SGR sequences (ECMA-48 8.3.117). */
import type { Line, Role, Style } from './style.ts'

/** `none` still has bold, dim, italic and underline: NO_COLOR asks for no colour only. */
export type Depth = 'none' | '16' | '256' | 'true'

/** For each role: a colour as `rrggbb`, and its nearest among the 16 that every terminal has (SGR 30–37, 90–97). */
type Palette = Readonly<Record<Role, readonly [rgb: string, sixteen: number]>>

export interface Theme {
  readonly name: string
  readonly background: 'dark' | 'light'
  readonly palette: Palette
}

const dark: Theme = {
  name: 'dark',
  background: 'dark',
  palette: {
    accent: ['5fb3d9', 36],
    muted: ['8a8f98', 90],
    user: ['a8c7fa', 94],
    ok: ['7fc97f', 32],
    error: ['f07178', 31],
    warning: ['e6c07b', 33],
    added: ['8fd18f', 32],
    removed: ['f08a8a', 31],
    heading: ['82c4e6', 96],
    link: ['7aa2f7', 94],
    code: ['d7ba7d', 33],
    keyword: ['c792ea', 35],
    string: ['a5d38f', 32],
    number: ['f2a66b', 33],
    comment: ['7f848e', 90],
    title: ['7fb4f5', 94],
    type: ['6fc3c3', 36],
    attribute: ['d9a86c', 33],
  },
}

const light: Theme = {
  name: 'light',
  background: 'light',
  palette: {
    accent: ['0b6e99', 36],
    muted: ['6b7280', 90],
    user: ['1d4ed8', 34],
    ok: ['1a7f37', 32],
    error: ['b42318', 31],
    warning: ['9a6700', 33],
    added: ['1a7f37', 32],
    removed: ['b42318', 31],
    heading: ['0b5c85', 34],
    link: ['1d4ed8', 34],
    code: ['8a5a00', 33],
    keyword: ['8250df', 35],
    string: ['116329', 32],
    number: ['953800', 33],
    comment: ['6e7781', 90],
    title: ['0550ae', 34],
    type: ['0b6b6b', 36],
    attribute: ['7a4d00', 33],
  },
}

/** Colours that people with red-green colour blindness tell apart (after Okabe and Ito): blue for added, orange for removed. */
const contrast: Theme = {
  name: 'contrast',
  background: 'dark',
  palette: {
    ...dark.palette,
    ok: ['56b4e9', 94],
    added: ['56b4e9', 94],
    error: ['e69f00', 33],
    removed: ['e69f00', 33],
    muted: ['b0b0b0', 37],
    comment: ['b0b0b0', 37],
    string: ['56b4e9', 96],
    keyword: ['f0e442', 93],
  },
}

export const themes: readonly Theme[] = [dark, light, contrast]

export const themeNamed = (name: string): Theme | undefined => themes.find((theme) => theme.name === name)

/** The theme that goes with a background, where none was chosen. */
export const themeFor = (background: 'dark' | 'light'): Theme => (background === 'light' ? light : dark)

export type Painter = (line: Line) => string

/** Gives the function that turns lines into text for the terminal. Only the sequences of this function reach it. */
export function painter(theme: Theme, depth: Depth): Painter {
  const cache = new Map<Style, string>()
  const open = (style: Style): string => {
    let codes = cache.get(style)
    if (codes === undefined) {
      codes = sgr(style, theme, depth)
      cache.set(style, codes)
      if (cache.size > 2000) cache.clear()
    }
    return codes
  }
  return (spans) => {
    let out = ''
    let current = ''
    for (const { text, style } of spans) {
      const codes = open(style)
      if (codes !== current) out += (current === '' ? '' : '\x1b[0m') + codes
      current = codes
      out += text
    }
    return current === '' ? out : `${out}\x1b[0m`
  }
}

function sgr(style: Style, theme: Theme, depth: Depth): string {
  const codes: string[] = []
  if (style.bold) codes.push('1')
  if (style.dim) codes.push('2')
  if (style.italic) codes.push('3')
  if (style.underline) codes.push('4')
  if (style.inverse) codes.push('7')
  if (style.strike) codes.push('9')
  if (style.role !== undefined && depth !== 'none') codes.push(colour(theme.palette[style.role], depth))
  return codes.length === 0 ? '' : `\x1b[${codes.join(';')}m`
}

function colour([rgb, sixteen]: readonly [string, number], depth: Depth): string {
  if (depth === '16') return String(sixteen)
  const [r, g, b] = [0, 2, 4].map((at) => Number.parseInt(rgb.slice(at, at + 2), 16)) as [number, number, number]
  if (depth === 'true') return `38;2;${r};${g};${b}`
  const cube = (value: number): number => Math.round((value / 255) * 5)
  return `38;5;${16 + 36 * cube(r) + 6 * cube(g) + cube(b)}`
}

/** What the terminal can show, by the customs of NO_COLOR, FORCE_COLOR, COLORTERM and TERM. */
export function depthOf(environment: Readonly<Record<string, string | undefined>>): Depth {
  const term = environment['TERM'] ?? ''
  if ((environment['NO_COLOR'] ?? '') !== '' || term === 'dumb') return 'none'
  if (/^(truecolor|24bit)$/i.test(environment['COLORTERM'] ?? '')) return 'true'
  if (/256/.test(term) || /kitty|ghostty|alacritty|foot|wezterm/.test(term)) return '256'
  return '16'
}

/** `COLORFGBG=15;0`: colours of text and background, set by rxvt, Konsole and others; background 7 and 15 are light. */
export function shadeOf(environment: Readonly<Record<string, string | undefined>>): 'dark' | 'light' | undefined {
  const background = /;(\d+)$/.exec(environment['COLORFGBG'] ?? '')?.[1]
  if (background === undefined) return undefined
  return background === '7' || background === '15' ? 'light' : 'dark'
}
