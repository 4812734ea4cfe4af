/** Tests that stand beside a changed file and carry its name: cheap enough to run without being asked. */
import { basename, dirname } from 'node:path/posix'
import { listFiles } from '../files.ts'
import { lastLines, python, runCommand, shellWord, toldCharacters } from './command.ts'
import type { Check, CheckContext } from './types.ts'

const seconds = 60
/** More test files than this are not cheap. */
const most = 5

export const tests: Check = async (context) => {
  const tree = await listFiles(context.workspace.root)
  const stems = new Set(context.files.filter(({ after }) => after !== null).map(({ path }) => stemOf(path)))
  const related = tree.filter((path) => stems.has(tested(path) ?? '')).slice(0, most)
  const line = related.length === 0 ? undefined : await runnerOf(related, context)
  if (line === undefined) return undefined
  const { outcome, exitCode, output } = await runCommand(context, line, { seconds, writes: false })
  const detail = related.join(', ')
  if (outcome === 'exited' && exitCode === 0) return { name: 'tests', passed: true, detail }
  const how = outcome === 'timed-out' ? `did not end within ${seconds} s` : `exit code ${exitCode}`
  return {
    name: 'tests',
    passed: false,
    detail: `${detail}: ${how}\n${lastLines(output, toldCharacters - 200)}`,
    compares: 'failed',
  }
}

const stemOf = (path: string): string => basename(path).replace(/\.[^.]+$/, '')

/** The name of the module that a test file is about; undefined for what is no test file. */
function tested(path: string): string | undefined {
  const name = basename(path)
  return (/^test_(.+)\.py$/.exec(name) ?? /^(.+?)(?:_test\.py|[.-](?:test|spec)\.[cm]?[jt]sx?)$/.exec(name))?.[1]
}

/** The command that runs these files; undefined where the project does not say plainly how. */
async function runnerOf(paths: readonly string[], context: CheckContext): Promise<string | undefined> {
  const words = paths.map(shellWord).join(' ')
  if (paths.every((path) => path.endsWith('.py'))) {
    const modules = [...new Set(paths.map((path) => dirname(path)))].length === 1
    const plain = modules ? `${python} -m unittest -q ${words}` : 'exit 127'
    // What is installed may be another version than the files here, and would be tested in their place.
    const isApart = context.files.some(({ path }) => path.startsWith('src/') && path.endsWith('.py'))
    const here = isApart ? `export PYTHONPATH="$PWD/src\${PYTHONPATH:+:$PYTHONPATH}"; ` : ''
    return `${here}if ${python} -c 'import pytest' 2>/dev/null; then ${python} -m pytest -q -x -p no:cacheprovider ${words}; else ${plain}; fi`
  }
  if (paths.some((path) => path.endsWith('.py'))) return undefined
  const texts = await Promise.all(paths.map((path) => textOf(path, context)))
  if (texts.every((text) => /['"]node:test['"]/.test(text))) return `node --test ${words}`
  const manifest = await textOf('package.json', context)
  for (const runner of ['vitest run', 'jest']) {
    if (manifest.includes(`"${runner.split(' ')[0]}"`)) return `npx --no-install ${runner} ${words}`
  }
  return undefined
}

/** Empty where there is none that can be read. */
async function textOf(path: string, { workspace }: CheckContext): Promise<string> {
  try {
    return (await workspace.read(path, { maxBytes: 1024 * 1024 })).toString('utf8')
  } catch {
    // Gone or too large: it then says nothing of how it is run.
    return ''
  }
}
