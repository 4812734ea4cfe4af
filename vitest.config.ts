import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    {
      // Prompts are data files: `import text from './system.md'` gives the text, as esbuild's text loader does in the bundle.
      name: 'markdown-as-text',
      transform: (code, id) => (id.endsWith('.md') ? `export default ${JSON.stringify(code)}` : undefined),
    },
  ],
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Real processes on a machine that others use too: a second try is printed as one ("retry x1") and is to be looked into.
    retry: 1,
    // Ink and colour libraries look at CI and at the terminal; tests set what they need themselves.
    env: { CI: '', NO_COLOR: '' },
    projects: [
      { extends: true, test: { name: 'rooms', include: ['test/**/*.test.{ts,tsx}'], exclude: ['test/e2e/**'] } },
      // Runs what is shipped, so it is built first; the other tests need no build.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/setup/build.ts'],
          testTimeout: 90_000,
        },
      },
    ],
  },
})
