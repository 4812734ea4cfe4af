/** Written in by scripts/build.ts. */
declare const CACHALOT_VERSION: string | undefined

/** The version of package.json; `0.0.0-source` when the sources run unbundled. */
export const version: string = typeof CACHALOT_VERSION === 'string' ? CACHALOT_VERSION : '0.0.0-source'
