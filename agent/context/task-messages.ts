import type { Message, ModelInfo, Picture } from '../../engine/index.ts'
import type { Packed } from './pack.ts'
import { changesEnd } from './repository/delta.ts'

/** A task as messages, with what has changed (`news`; '': nothing) before it. */
export function taskMessages(
  { prompt }: ModelInfo,
  { text }: Packed,
  news: string,
  pictures: readonly Picture[] = [],
): Message[] {
  // By itself, so that it can be taken out when the files at the beginning are brought up to date.
  const apart = news !== '' && prompt === 'full'
  return [
    ...(apart ? [{ role: 'user', text: news } as const] : []),
    {
      role: 'user',
      text: news === '' || apart ? text : `${news}\n\n${changesEnd}\n\n${text}`,
      ...(pictures.length > 0 && { pictures }),
    },
  ]
}
