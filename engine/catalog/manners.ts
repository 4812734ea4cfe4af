/** How each family is spoken to, and the metadata that tells a file's family. Nothing is guessed from a file's name. */
import type { Sampling } from '../model.ts'
import type { ModelTraits } from './entry.ts'

export type Manner = Pick<ModelTraits, 'dialect' | 'finishes' | 'prompt' | 'sampling'>

/** What a GGUF file says about itself; empty where it does not. */
export interface FileWords {
  readonly architecture: string
  readonly name: string
  readonly basename: string
  readonly size: string
  readonly template: string
}

interface Row {
  readonly manner: Manner
  readonly matches: (file: FileWords) => boolean
}

const plain: Sampling = { temperature: 1, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 0 }

/** A model trained on calls and on long prompts. */
function large(dialect: string, sampling: Partial<Sampling>): Manner {
  return { dialect, finishes: 'words', prompt: 'full', sampling: { ...plain, ...sampling } }
}

/** Sampling of Qwen's own generation_config.json (Qwen2.5, Qwen3 instruct models, Qwen3-Coder). */
const qwenSampling = { temperature: 0.7, topP: 0.8, topK: 20, repeatPenalty: 1.05 }

/** The markup of DeepSeek's calls in a template, with a word that tells the version. */
const dsml = (template: string, word: string): boolean => template.includes('DSML') && template.includes(word)

/** The first row that matches decides. */
const table: readonly Row[] = [
  {
    // Small models that were measured to answer in code fences and never to open a call by themselves.
    manner: { dialect: 'fenced', finishes: 'edits', prompt: 'small', sampling: { ...plain, temperature: 0 } },
    matches: ({ architecture, basename, size }) =>
      architecture === 'qwen2' && /^qwen2\.5-coder$/i.test(basename) && ['0.5B', '1.5B'].includes(size),
  },
  {
    manner: large('deepseek-v4.1', { topP: 0.95 }),
    matches: ({ template }) => dsml(template, '<｜System｜>'),
  },
  {
    // The effort words of the July release; files without a template (none comes with the checkpoints) say it by name.
    manner: large('deepseek-v4', { topP: 0.95 }),
    matches: ({ architecture, name, template }) =>
      dsml(template, 'Beyond maximum') ||
      (architecture === 'deepseek4' &&
        template === '' &&
        /v4-(?:flash|pro)-0[78]\d\d\b/i.test(name.replaceAll(' ', '-'))),
  },
  {
    manner: large('deepseek-v4-preview', {}),
    matches: ({ template }) => dsml(template, 'Absolute maximum'),
  },
  {
    manner: large('deepseek-v3.2', { topP: 0.95 }),
    matches: ({ template }) => dsml(template, 'function_calls'),
  },
  {
    manner: large('harmony', {}),
    matches: ({ architecture, template }) => architecture === 'gpt-oss' && template.includes('<|channel|>'),
  },
  {
    // GLM-4.7 and its Flash; 4.6 writes its calls over several lines.
    manner: large('glm', { temperature: 0.7 }),
    matches: ({ template }) =>
      template.includes('[gMASK]<sop>') && template.includes('<arg_key>') && template.includes('clear_thinking'),
  },
  {
    manner: large('gemma', { topP: 0.95, topK: 64 }),
    matches: ({ template }) => template.includes('<|tool_call>call:') && template.includes('<|turn>'),
  },
  {
    manner: large('qwen-xml', { temperature: 0.6, topP: 0.95, topK: 20 }),
    matches: (file) => qwenXml(file) && file.template.includes('enable_thinking'),
  },
  {
    manner: large('qwen-xml-coder', qwenSampling),
    matches: (file) => qwenXml(file) && file.template.includes('<name>'),
  },
  {
    // ChatML with calls as JSON in <tool_call> tags (Hermes); not the XML form of Qwen3-Coder.
    manner: large('qwen', qwenSampling),
    matches: ({ architecture, template }) =>
      /^qwen[23]/.test(architecture) &&
      template.includes('<|im_start|>') &&
      template.includes('<tool_call>') &&
      template.includes('arguments') &&
      !template.includes('<function='),
  },
]

function qwenXml({ architecture, template }: FileWords): boolean {
  return /^qwen3/.test(architecture) && template.includes('<|im_start|>') && template.includes('<function=')
}

/** How to speak to a file; undefined when nothing in it tells. */
export function mannerOfFile(file: FileWords): Manner | undefined {
  return table.find((row) => row.matches(file))?.manner
}

/** How to speak a dialect that the user named. */
export function mannerOfDialect(dialect: string): Manner {
  return table.find((row) => row.manner.dialect === dialect)?.manner ?? large(dialect, qwenSampling)
}
