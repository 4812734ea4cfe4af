/** What a download tells while it runs, and how it fails. */

export type DownloadEvent =
  /** Another process is getting the same file; this one waits for it. */
  | { readonly type: 'waiting'; readonly pid: number | undefined }
  /** An earlier attempt left this many bytes, which are kept and hashed now. */
  | { readonly type: 'resumed'; readonly bytes: number }
  /** A source is asked. `source` is its name for a person. */
  | { readonly type: 'source'; readonly source: string }
  /** A source did not give the file; the next one is tried. */
  | { readonly type: 'passed-over'; readonly source: string; readonly reason: string }
  /** The connection broke; it is taken up again where it stopped. */
  | { readonly type: 'retry'; readonly source: string; readonly reason: string; readonly inSeconds: number }
  /** Bytes of the file that are here; `total` is undefined where the server does not tell. */
  | {
      readonly type: 'progress'
      readonly bytes: number
      readonly total: number | undefined
      readonly bytesPerSecond: number
      readonly secondsLeft: number | undefined
    }
  /** All bytes came and they are not the file that was asked for: they were deleted. */
  | { readonly type: 'mismatch'; readonly source: string; readonly expected: string; readonly actual: string }

/** Why there is no file. `message` says what happened and what to do; what was downloaded so far is kept on disk. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
  readonly kind: 'no-source' | 'disk-space' | 'not-a-model' | 'io'
  constructor(kind: DownloadError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
