/** `--image`: pictures that go with the task. Nobody is there to see a notice, so what cannot be shown is an error. */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pictureType } from '../../agent/index.ts'
import type { ModelInfo } from '../../engine/index.ts'
import { UsageError } from '../usage-error.ts'

/** Absolute paths of the pictures. Throws UsageError for a file that is none. */
export function readImages(given: readonly string[]): string[] {
  return given.map((name) => {
    const file = resolve(name)
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      throw new UsageError(`--image: there is no file ${file}`)
    }
    if (pictureType(readFileSync(file)) === undefined) {
      throw new UsageError(`--image: ${file} is no PNG, JPEG, GIF or WebP picture`)
    }
    return file
  })
}

/** Throws UsageError when pictures are given to a model that cannot see. */
export function needsVision(images: readonly string[], { name, place, vision }: ModelInfo): void {
  if (images.length === 0 || vision === true) return
  throw new UsageError(
    place === 'remote'
      ? `--image: ${name} counts as reading text only. If it reads pictures, add --vision on`
      : `--image: ${name} reads text only. Use a remote model with vision: --base-url … --model … --vision on`,
  )
}
