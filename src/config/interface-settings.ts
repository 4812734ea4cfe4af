/** The settings of the interactive interface. A repository may not set them: they are the user's eyes and hands. */
import * as z from 'zod'
import type { Setting } from './setting.ts'

const setting = <Value>(given: Setting<Value>): Setting<Value> => given

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words): z.ZodType<Words[number]> =>
  z.enum(words, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)

const statusItems = ['mode', 'model', 'branch', 'context', 'warm', 'sandbox', 'folder', 'session'] as const

export const interfaceSettings = {
  theme: setting<'auto' | 'dark' | 'light' | 'contrast'>({
    key: 'ui.theme',
    env: 'CACHALOT_THEME',
    help: 'colours: auto (asks the terminal), dark, light or contrast',
    kind: 'text',
    schema: oneOf(['auto', 'dark', 'light', 'contrast']),
    repository: false,
  }),
  mode: setting<'plan' | 'ask' | 'auto-edit' | 'auto'>({
    key: 'ui.mode',
    env: 'CACHALOT_MODE',
    help: 'how much is done without asking at the start: plan, ask, auto-edit or auto',
    kind: 'text',
    schema: oneOf(['plan', 'ask', 'auto-edit', 'auto']),
    repository: false,
  }),
  reasoning: setting<'folded' | 'shown'>({
    key: 'ui.reasoning',
    env: 'CACHALOT_REASONING',
    help: 'whether finished reasoning stays in view: folded or shown',
    kind: 'text',
    schema: oneOf(['folded', 'shown']),
    repository: false,
  }),
  editorKeys: setting<'emacs' | 'vim'>({
    key: 'ui.keys',
    env: 'CACHALOT_KEYS',
    help: 'keys of the editor: emacs or vim',
    kind: 'text',
    schema: oneOf(['emacs', 'vim']),
    repository: false,
  }),
  notify: setting<'on' | 'off'>({
    key: 'ui.notify',
    env: 'CACHALOT_NOTIFY',
    help: 'whether the terminal rings when a turn needs a user who looks away: on or off',
    kind: 'text',
    schema: oneOf(['on', 'off']),
    repository: false,
  }),
  statusLine: setting<readonly (typeof statusItems)[number][]>({
    key: 'ui.status',
    env: 'CACHALOT_STATUS',
    help: `what the status line shows, in order: ${statusItems.join(', ')}`,
    kind: 'words',
    schema: z.array(z.enum(statusItems, `must be of: ${statusItems.join(', ')}`)),
    repository: false,
  }),
} as const
