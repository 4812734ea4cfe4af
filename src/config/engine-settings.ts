/** The settings of the embedded model: how it is spoken to, and what of the machine it gets. */
import * as z from 'zod'
import type { Setting } from './setting.ts'

const setting = <Value>(given: Setting<Value>): Setting<Value> => given

const whole = (least: number) =>
  z.number('must be a number').int('must be a whole number').min(least, `must be at least ${least}`)

export const engineSettings = {
  dialect: setting<string>({
    key: 'engine.dialect',
    env: 'CACHALOT_DIALECT',
    flag: '--dialect <name>',
    help: 'prompt protocol of a model that is not in the catalog',
    kind: 'text',
    schema: z.string().min(1),
    repository: false,
  }),
  effort: setting<'off' | 'low' | 'high' | 'max'>({
    key: 'engine.effort',
    env: 'CACHALOT_EFFORT',
    flag: '--effort <level>',
    help: 'how much the model thinks: off, low, high or max, as far as it has them; fixed for a session',
    kind: 'text',
    schema: z.enum(['off', 'low', 'high', 'max'], 'must be off, low, high or max'),
    repository: false,
  }),
  context: setting<number>({
    key: 'engine.context_tokens',
    env: 'CACHALOT_CONTEXT',
    flag: '--context <tokens>',
    help: 'context length',
    kind: 'number',
    schema: whole(256),
    repository: true,
  }),
  threads: setting<number>({
    key: 'engine.threads',
    env: 'CACHALOT_THREADS',
    flag: '--threads <n>',
    help: 'at most this many threads for the embedded model',
    kind: 'number',
    schema: whole(1).max(1024, 'must be at most 1024'),
    repository: false,
  }),
  kvType: setting<'f16' | 'q8_0'>({
    key: 'engine.kv_type',
    env: 'CACHALOT_KV_TYPE',
    flag: '--kv-type <type>',
    help: 'how the cache is kept: f16, or q8_0, which takes about half the memory (default: f16)',
    kind: 'text',
    schema: z.enum(['f16', 'q8_0'], 'must be f16 or q8_0'),
    repository: false,
  }),
  gpuLayers: setting<number>({
    key: 'engine.gpu_layers',
    env: 'CACHALOT_GPU_LAYERS',
    flag: '--gpu-layers <n>',
    help: 'layers on the GPU; 0 keeps all on the CPU (default: all that there is a GPU library for)',
    kind: 'number',
    schema: whole(0).max(10_000, 'must be at most 10000'),
    repository: false,
  }),
  experts: setting<'gpu' | 'cpu'>({
    key: 'engine.experts',
    env: 'CACHALOT_EXPERTS',
    flag: '--experts <place>',
    help: 'where the experts of a mixture lie: gpu, or cpu (attention stays on the GPU; for GPUs that hold only that)',
    kind: 'text',
    schema: z.enum(['gpu', 'cpu'], 'must be gpu or cpu'),
    repository: false,
  }),
  adapter: setting<string>({
    key: 'engine.adapter',
    env: 'CACHALOT_ADAPTER',
    flag: '--adapter <file>',
    help: 'a LoRA adapter (.gguf) to load beside the model',
    kind: 'text',
    schema: z.string().min(1),
    repository: false,
  }),
} as const
