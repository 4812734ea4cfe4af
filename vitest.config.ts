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
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Ink and colour libraries look at CI and at the terminal; tests set what they need themselves.
    env: { CI: '', NO_COLOR: '' },
  },
})
