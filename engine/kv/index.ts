/** The store of saved readings, and what the command line shows and does with it. */
export { collect, type KvEntry, removeEntry } from './entries.ts'
export { exportEntries, type Imported, importEntries } from './exchange.ts'
export { holdsText } from './mark.ts'
export { type KvStore, type ListedEntry, listStore, openKvStore } from './store.ts'
export type { TextMark } from './text-mark.ts'
