/** The store of saved readings, and what the command line shows and does with it. */
export { collect, type KvEntry, removeEntry } from './entries.ts'
export { type KvStore, type ListedEntry, listStore, openKvStore } from './store.ts'
