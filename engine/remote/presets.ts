/**
 * Servers that DeepSeek V4 is used through, each with what it wants in a request and the command that starts it. Facts:
 * api-docs.deepseek.com, vLLM's recipes, SGLang's cookbook, the vllm-ascend guide (November 2026).
 */
import type { Effort } from '../dialects/index.ts'

export type PresetName = 'deepseek' | 'vllm' | 'sglang' | 'ascend' | 'llama-server' | 'ollama'

/** US dollars for a million tokens. */
export interface Price {
  /** Prompt tokens that the server had in its cache. */
  readonly hit: number
  readonly miss: number
  readonly output: number
}

export interface RemotePreset {
  readonly name: PresetName
  readonly title: string
  readonly baseUrl: string
  /** The model where none is named; undefined where a server has whatever it was started with. */
  readonly model: string | undefined
  /** The variable that holds the key; undefined for servers that want none. */
  readonly apiKeyEnv: string | undefined
  readonly contextTokens: number | undefined
  readonly levels: readonly Effort[]
  /** The effort that is asked for where none is wanted: servers differ in theirs. Undefined: nothing is said. */
  readonly usual: Effort | undefined
  /** The fields of a request that ask for an effort. */
  readonly thinking: (effort: Effort) => Readonly<Record<string, unknown>>
  /** Which replies go back with their `reasoning_content`: all, empty ones too, where tools are declared; or none. */
  readonly reasoning: 'all' | 'none'
  /** Off-peak prices by model; empty where nobody is paid. */
  readonly prices: Readonly<Record<string, Price>>
  /** Commands that serve V4, and what a person should know of them. */
  readonly serve: readonly { readonly title: string; readonly command: string }[]
}

/** vLLM and SGLang hand these to the prompt's encoder. */
const templateArguments = (effort: Effort): Readonly<Record<string, unknown>> => ({
  chat_template_kwargs: effort === 'off' ? { thinking: false } : { thinking: true, reasoning_effort: effort },
})

const flash = 'deepseek-ai/DeepSeek-V4-Flash-0731'

const all: readonly Effort[] = ['off', 'low', 'high', 'max']

/** A server of one's own, started with the model's template. */
const ownServer = {
  apiKeyEnv: undefined,
  contextTokens: undefined,
  levels: all,
  usual: 'high',
  thinking: templateArguments,
  reasoning: 'all',
  prices: {},
} as const

/** Used by vLLM and its Ascend edition alike. */
const vllmParsers =
  '--tokenizer-mode deepseek_v4 --tool-call-parser deepseek_v4 --enable-auto-tool-choice --reasoning-parser deepseek_v4'

export const remotePresets: Readonly<Record<PresetName, RemotePreset>> = {
  deepseek: {
    name: 'deepseek',
    title: "DeepSeek's own API",
    baseUrl: 'https://api.deepseek.com',
    model: 'deepseek-flash',
    apiKeyEnv: 'DEEPSEEK_API_KEY',
    contextTokens: 1_048_576,
    levels: all,
    usual: 'high',
    thinking: (effort) =>
      effort === 'off'
        ? { thinking: { type: 'disabled' } }
        : { thinking: { type: 'enabled' }, reasoning_effort: effort },
    reasoning: 'all',
    prices: {
      'deepseek-flash': { hit: 0.003, miss: 0.15, output: 0.6 },
      'deepseek-v4-pro': { hit: 0.022, miss: 0.66, output: 1.98 },
    },
    serve: [],
  },
  vllm: {
    ...ownServer,
    name: 'vllm',
    title: 'vLLM 0.25 or newer',
    baseUrl: 'http://127.0.0.1:8000/v1',
    model: flash,
    serve: [
      {
        title: 'V4-Flash-0731, 200 GB of GPU memory in all',
        command: `vllm serve ${flash} --trust-remote-code --kv-cache-dtype fp8 --block-size 256 --data-parallel-size 4 --enable-expert-parallel ${vllmParsers} --reasoning-config '{"reasoning_parser":"deepseek_v4","reasoning_start_str":"","reasoning_end_str":""}'`,
      },
      {
        title: 'add this for drafts by DSpark',
        command: `--speculative-config '{"method":"dspark","num_speculative_tokens":7,"draft_sample_method":"probabilistic"}'`,
      },
      { title: 'add this for effort max', command: '--max-model-len 393216' },
      {
        title: 'V4.1-Flash (vLLM 0.30 or newer) takes these instead of the parsers above',
        command: `--tokenizer-mode deepseek_v41 --tool-call-parser deepseek_v41 --reasoning-parser deepseek_v41 --enable-auto-tool-choice --engram-config '{"cpu_offload": true}' --language-model-only`,
      },
    ],
  },
  sglang: {
    ...ownServer,
    name: 'sglang',
    title: 'SGLang',
    baseUrl: 'http://127.0.0.1:30000/v1',
    model: flash,
    serve: [
      {
        title: 'V4-Flash-0731 (on Blackwell: --moe-runner-backend flashinfer_mxfp4 --attention-backend dsv4)',
        command: `python3 -m sglang.launch_server --model-path ${flash} --trust-remote-code --tp 8 --moe-runner-backend marlin --tool-call-parser deepseekv4 --reasoning-parser deepseek-v4`,
      },
      { title: 'add this for drafts by DSpark', command: '--speculative-algorithm DSPARK' },
      {
        title: 'V4.1 takes these parsers',
        command:
          '--tool-call-parser deepseekv41 --reasoning-parser deepseek-v41 --speculative-algorithm DSPARK --speculative-dspark-block-size 5',
      },
    ],
  },
  ascend: {
    ...ownServer,
    name: 'ascend',
    title: 'vllm-ascend, one Atlas 800 A3 or A2, W8A8 weights from ModelScope',
    baseUrl: 'http://127.0.0.1:8000/v1',
    model: undefined,
    serve: [
      {
        title: 'V4-Flash; put the folder of the W8A8 weights for WEIGHTS',
        command: `vllm serve WEIGHTS --tensor-parallel-size 8 --enable-expert-parallel --quantization ascend --block-size 128 ${vllmParsers} --speculative-config '{"num_speculative_tokens":1,"method":"mtp","enforce_eager":true}' --compilation-config '{"cudagraph_mode":"FULL_DECODE_ONLY"}' --async-scheduling`,
      },
    ],
  },
  'llama-server': {
    name: 'llama-server',
    title: 'llama.cpp (V4 since July 2026; V4.1 only in forks)',
    baseUrl: 'http://127.0.0.1:8080/v1',
    // It has one model, whatever it is called.
    model: 'default',
    apiKeyEnv: undefined,
    contextTokens: undefined,
    levels: all,
    usual: undefined,
    thinking: (effort) => ({
      chat_template_kwargs:
        effort === 'off' ? { enable_thinking: false } : { enable_thinking: true, reasoning_effort: effort },
    }),
    reasoning: 'all',
    prices: {},
    serve: [
      { title: 'any GGUF; --jinja is what reads its calls', command: 'llama-server -m MODEL.gguf --jinja -c 65536' },
    ],
  },
  ollama: {
    name: 'ollama',
    title: 'Ollama (V4 only in its cloud)',
    baseUrl: 'http://127.0.0.1:11434/v1',
    model: undefined,
    apiKeyEnv: undefined,
    contextTokens: undefined,
    levels: ['off', 'low', 'high'],
    usual: undefined,
    thinking: (effort) => ({ reasoning_effort: effort === 'off' ? 'none' : effort }),
    reasoning: 'none',
    prices: {},
    serve: [{ title: 'the server, then a model', command: 'ollama serve & ollama pull MODEL' }],
  },
}

/** Whether DeepSeek's prices are doubled: 01–04 and 06–10 UTC from Monday to Friday (Chinese holidays not counted). */
export function isPeak(at: Date): boolean {
  const hour = at.getUTCHours()
  const workday = at.getUTCDay() >= 1 && at.getUTCDay() <= 5
  return workday && ((hour >= 1 && hour < 4) || (hour >= 6 && hour < 10))
}
