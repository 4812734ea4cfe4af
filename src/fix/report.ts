/** A repair told to a person: on the screen and as Markdown. */
import type { FixExit, FixResult } from './result.ts'

const verdicts: Readonly<Record<FixExit, string>> = {
  fixed: 'fixed',
  'not-fixed': 'not fixed',
  usage: 'wrong usage',
  model: 'model failed',
  sandbox: 'no sandbox',
  limit: 'limit reached',
  'not-reproducible': 'not reproducible',
  refused: 'refused',
  interrupted: 'interrupted',
}

/** Lines for a person; nothing of others' text is made safe here. */
export function reportLines(result: FixResult): string[] {
  const mark = result.exit === 'fixed' ? '✓' : '✗'
  return [
    ...(result.patch === '' ? [] : [result.patch.trimEnd(), '']),
    ...(result.text === '' ? [] : [result.exit === 'fixed' ? `Cause: ${result.text}` : result.text, '']),
    ...result.verified,
    ...result.refused.map((one) => `refused: ${one.path}${one.line === undefined ? '' : `:${one.line}`} ${one.what}`),
    `${mark} ${verdicts[result.exit]} · ${result.files.length} ${result.files.length === 1 ? 'file' : 'files'} · ${result.seconds.toFixed(1)} s`,
  ]
}

/** The report as Markdown, for a job summary or a pull request. What the model said is quoted. */
export function reportMarkdown(result: FixResult): string {
  const quote = (text: string): string =>
    text
      .split('\n')
      .map((line) => `> ${escapeMarkdown(line)}`)
      .join('\n')
  const parts = [`## Cachalot: ${verdicts[result.exit]}`, `Check: ${code(result.check)}`]
  if (result.text !== '') parts.push(quote(result.text))
  parts.push(result.verified.map((line) => `- ${escapeMarkdown(line)}`).join('\n'))
  if (result.refused.length > 0) {
    parts.push(`Refused:\n${result.refused.map((one) => `- ${code(one.path)} ${escapeMarkdown(one.what)}`).join('\n')}`)
  }
  if (result.patch !== '') {
    const fence = fenceFor(result.patch)
    parts.push(`${fence}diff\n${result.patch.trimEnd()}\n${fence}`)
  }
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const fenceFor = (text: string): string =>
  '`'.repeat(1 + Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length)))

function code(text: string): string {
  const ticks = '`'.repeat(1 + Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)))
  return ticks.length === 1 ? `\`${text}\`` : `${ticks} ${text} ${ticks}`
}

/** Text of others in Markdown: no HTML, no links or images, no mentions that would call people. */
const escapeMarkdown = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>#|!]/g, (character) => `\\${character}`).replace(/@/g, '@\u200b')
