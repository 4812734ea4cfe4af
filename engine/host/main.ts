/** The engine host's entry; see ../engine.ts. */
export {}
