/** A session as a markdown document. */
import type { Replayed, SessionInfo } from '../../../agent/index.ts'
import { unifiedDiff } from '../../../tools/index.ts'
import { subject } from '../transcript/call.ts'

export function exportMarkdown(events: readonly Replayed[], { id, cwd, model }: SessionInfo): string {
  const about = new Map<string, string>()
  const partOf = (event: Replayed): string[] => {
    switch (event.type) {
      case 'input':
        return [event.text]
      case 'reasoning':
        return [`<details><summary>Reasoning</summary>\n\n${event.text}\n\n</details>`]
      case 'text':
        return [event.text]
      case 'call':
        about.set(event.call.id, subject(event.call, event.effects))
        return []
      case 'tool-result': {
        const { name, result } = event
        const head =
          `**${name}** \`${about.get(event.callId)?.split('\n')[0] ?? ''}\` ${result.ok ? '' : '(failed)'}`.trim()
        return [`${head}\n\n${fenced(bodyOf(result), result.details.kind.startsWith('change') ? 'diff' : '')}`]
      }
      case 'result':
        return [`*${event.exit}, ${event.seconds.toFixed(1)} s*`]
      default:
        return []
    }
  }
  let speaker = ''
  const parts = events.flatMap((event): string[] => {
    const part = partOf(event)
    const next = event.type === 'input' ? 'You' : 'Cachalot'
    if (part.length === 0 || (next === speaker && next === 'Cachalot')) return part
    speaker = next
    return [`## ${speaker}`, ...part]
  })
  return `# Session ${id}\n\n${cwd} · ${model.name}\n\n${parts.join('\n\n')}\n`
}

function bodyOf({ details, content }: Extract<Replayed, { type: 'tool-result' }>['result']): string {
  if (details.kind === 'command') return details.output
  const files = details.kind === 'change' ? [details] : details.kind === 'changes' ? details.files : []
  if (files.length === 0) return content
  return files.map(({ path, before, after }) => unifiedDiff(path, before, after)).join('\n')
}

/** A fence longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`
}
