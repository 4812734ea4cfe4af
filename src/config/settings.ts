/**
 * Every setting of the program in one table: its key in config.toml, its environment variable, its flag, its schema,
 * and whether a repository's own file may set it. The flags, the parsers and the checks all follow from it.
 */
import * as z from 'zod'
import type { Rule } from '../../agent/index.ts'
import { engineSettings } from './engine-settings.ts'
import { interfaceSettings } from './interface-settings.ts'
import type { McpServer } from './mcp.ts'
import { sandboxSettings } from './sandbox-settings.ts'
import type { Setting } from './setting.ts'

const setting = <Value>(given: Setting<Value>): Setting<Value> => given

const whole = (least: number) =>
  z.number('must be a number').int('must be a whole number').min(least, `must be at least ${least}`)

export const settings = {
  model: setting<string>({
    key: 'model',
    env: 'CACHALOT_MODEL',
    flag: '-m, --model <name>',
    help: 'catalog name, path of a .gguf file, or the name of a remote model',
    kind: 'text',
    schema: z.string().min(1),
    repository: true,
    repositoryRefuses: (value) =>
      /^[a-z0-9][\w.-]*$/i.test(value) && !/\.gguf$/i.test(value)
        ? undefined
        : 'only a plain catalog name may stand there',
  }),
  baseUrl: setting<string>({
    key: 'remote.base_url',
    env: 'CACHALOT_BASE_URL',
    flag: '--base-url <url>',
    help: 'use an OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1',
    kind: 'text',
    schema: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
    repository: false,
  }),
  preset: setting<'deepseek' | 'vllm' | 'sglang' | 'ascend' | 'llama-server' | 'ollama'>({
    key: 'remote.preset',
    env: 'CACHALOT_PRESET',
    flag: '--preset <server>',
    help: 'kind of endpoint: deepseek, vllm, sglang, ascend, llama-server, ollama (see: cachalot remote)',
    kind: 'text',
    schema: z.enum(
      ['deepseek', 'vllm', 'sglang', 'ascend', 'llama-server', 'ollama'],
      'must be deepseek, vllm, sglang, ascend, llama-server or ollama',
    ),
    repository: false,
  }),
  apiKeyEnv: setting<string>({
    key: 'remote.api_key_env',
    env: 'CACHALOT_API_KEY_ENV',
    flag: '--api-key-env <variable>',
    help: 'environment variable that holds the key of the endpoint',
    kind: 'text',
    schema: z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable, not the key itself'),
    repository: false,
  }),
  vision: setting<'on' | 'off'>({
    key: 'remote.vision',
    env: 'CACHALOT_VISION',
    flag: '--vision <on|off>',
    help: 'whether the model of the endpoint takes pictures: on or off',
    kind: 'text',
    schema: z.enum(['on', 'off'], 'must be on or off'),
    repository: false,
  }),
  price: setting<string>({
    key: 'remote.price',
    env: 'CACHALOT_PRICE',
    help: 'US dollars for a million tokens of the endpoint: cached/new/written, such as 0.07/0.27/1.10',
    kind: 'text',
    schema: z
      .string()
      .regex(
        /^\d+(?:\.\d+)?(?:\/\d+(?:\.\d+)?){2}$/,
        'must be three numbers, cached/new/written, such as 0.07/0.27/1.10',
      ),
    repository: false,
  }),
  ...engineSettings,
  repository: setting<'auto' | 'always' | 'never'>({
    key: 'context.repository',
    env: 'CACHALOT_CONTEXT_REPOSITORY',
    flag: '--repository <when>',
    help: 'put the repository into the context: auto (large models, when it costs no wait), always, never',
    kind: 'text',
    schema: z.enum(['auto', 'always', 'never'], 'must be auto, always or never'),
    fallback: 'auto',
    repository: false,
  }),
  contextBudget: setting<number>({
    key: 'context.budget_tokens',
    env: 'CACHALOT_CONTEXT_BUDGET',
    flag: '--context-budget <tokens>',
    help: 'at most this much of the context for the repository; default: half of it',
    kind: 'number',
    schema: whole(0),
    repository: true,
  }),
  startupSeconds: setting<number>({
    key: 'context.startup_seconds',
    env: 'CACHALOT_STARTUP_SECONDS',
    help: 'the first answer may wait so long for the repository to be read',
    kind: 'number',
    schema: z.number('must be a number').min(0, 'must be at least 0'),
    fallback: 20,
    repository: false,
  }),
  cacheGigabytes: setting<number>({
    key: 'cache.max_gigabytes',
    env: 'CACHALOT_CACHE_MAX_GIGABYTES',
    help: 'disk space for saved readings; 0 keeps none',
    kind: 'number',
    schema: z.number('must be a number').min(0, 'must be at least 0'),
    fallback: 20,
    repository: false,
  }),
  maxSteps: setting<number>({
    key: 'limits.steps',
    env: 'CACHALOT_MAX_STEPS',
    flag: '--max-steps <n>',
    help: 'end after this many requests to the model',
    kind: 'number',
    schema: whole(1),
    fallback: 50,
    repository: true,
  }),
  maxTokens: setting<number>({
    key: 'limits.tokens',
    env: 'CACHALOT_MAX_TOKENS',
    flag: '--max-tokens <n>',
    help: 'end after this many generated tokens',
    kind: 'number',
    schema: whole(1),
    fallback: 100_000,
    repository: true,
  }),
  maxSeconds: setting<number>({
    key: 'limits.seconds',
    env: 'CACHALOT_MAX_SECONDS',
    flag: '--max-seconds <n>',
    help: 'end after this much time',
    kind: 'number',
    schema: z.number('must be a number').positive('must be more than 0'),
    fallback: 3600,
    repository: true,
  }),
  check: setting<string>({
    key: 'checks.command',
    env: 'CACHALOT_CHECK',
    flag: '--check <command>',
    help: 'a command that must pass before the task is done; it is tried again until it does or a limit ends it',
    kind: 'text',
    schema: z.string().min(1),
    repository: false,
  }),
  checkTypes: setting<string>({
    key: 'checks.types',
    env: 'CACHALOT_CHECK_TYPES',
    help: 'the type check of the project, run after every change',
    kind: 'text',
    schema: z.string().min(1),
    repository: false,
  }),
  checkLint: setting<string>({
    key: 'checks.lint',
    env: 'CACHALOT_CHECK_LINT',
    help: 'the linter of the project, run after every change',
    kind: 'text',
    schema: z.string().min(1),
    repository: false,
  }),
  tries: setting<number>({
    key: 'checks.tries',
    env: 'CACHALOT_TRIES',
    flag: '--tries <n>',
    help: 'at most so many attempts at a task whose checks fail; default: by the model',
    kind: 'number',
    schema: whole(1).max(64, 'must be at most 64'),
    repository: true,
  }),
  temperature: setting<number>({
    key: 'sampling.temperature',
    env: 'CACHALOT_TEMPERATURE',
    flag: '--temperature <t>',
    help: '0 is greedy; default: what the model was measured with',
    kind: 'number',
    schema: z.number('must be a number').min(0, 'must be at least 0').max(5, 'must be at most 5'),
    repository: true,
  }),
  seed: setting<number>({
    key: 'sampling.seed',
    env: 'CACHALOT_SEED',
    flag: '--seed <n>',
    help: 'seed of the sampler',
    kind: 'number',
    schema: whole(0).max(0xffffffff, 'must be less than 2^32'),
    repository: true,
  }),
  ...sandboxSettings,
  appendSystem: setting<string>({
    key: 'append_system',
    env: 'CACHALOT_APPEND_SYSTEM',
    flag: '--append-system <text>',
    help: 'more words for the system prompt',
    kind: 'text',
    schema: z.string(),
    repository: false,
  }),
  ...interfaceSettings,
} as const

export type SettingName = keyof typeof settings

type ValueOf<Name extends SettingName> = (typeof settings)[Name] extends Setting<infer Value> ? Value : never

/** The settings that have a fallback, and so always a value. */
type Decided =
  | 'repository'
  | 'startupSeconds'
  | 'cacheGigabytes'
  | 'maxSteps'
  | 'maxTokens'
  | 'maxSeconds'
  | 'sandbox'
  | 'network'
  | 'allowHosts'
  | 'extraWrite'
  | 'denyRead'
  | 'passEnv'

/** The settings after all places were heard. */
export type Config = {
  readonly [Name in SettingName]: Name extends Decided ? ValueOf<Name> : ValueOf<Name> | undefined
} & {
  /** `[[rules]]` of the user, and the stricter ones of the repository. */
  readonly rules: readonly Rule[]
  /** `[mcp.<name>]` of the user. */
  readonly servers: readonly McpServer[]
}

export const settingNames = Object.keys(settings) as SettingName[]
