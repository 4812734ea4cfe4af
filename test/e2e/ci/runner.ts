/** Runs the steps of action.yml as GitHub's runner does: their own shell text, outputs and conditions. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { parse } from 'yaml'
import { projectRoot } from '../program.ts'

interface Step {
  readonly name: string
  readonly id?: string
  readonly if?: string
  readonly run?: string
  readonly uses?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string>>
}

export interface ActionJob {
  readonly inputs: Readonly<Record<string, string>>
  /** Folder of this job: workspace, temporary files, home. Another job shares nothing with it. */
  readonly folder: string
  /** Where artifacts are kept between jobs. */
  readonly artifacts: string
  /** Address of the repository; checkout clones from it. */
  readonly remote: string
  /** GITHUB_* variables, and PATH. */
  readonly environment: Readonly<Record<string, string>>
}

export interface ActionRun {
  readonly ok: boolean
  readonly outputs: Readonly<Record<string, string>>
  /** Names of the steps that ran. */
  readonly steps: readonly string[]
  readonly log: string
  readonly summary: string
  readonly workspace: string
}

const action = parse(readFileSync(join(projectRoot, 'action.yml'), 'utf8')) as {
  inputs: Record<string, { default?: string }>
  outputs: Record<string, { value: string }>
  runs: { steps: Step[] }
}

export async function runAction({ inputs, folder, artifacts, remote, environment }: ActionJob): Promise<ActionRun> {
  const workspace = join(folder, 'workspace')
  const temp = join(folder, 'temp')
  const home = join(folder, 'home')
  for (const path of [workspace, temp, home, artifacts]) mkdirSync(path, { recursive: true })
  const files = {
    GITHUB_ENV: join(temp, 'env'),
    GITHUB_OUTPUT: join(temp, 'output'),
    GITHUB_STEP_SUMMARY: join(temp, 'summary'),
  }
  const outputs: Record<string, Record<string, string>> = {}
  const given = (name: string): string => inputs[name] ?? action.inputs[name]?.default ?? ''
  const env: Record<string, string> = {}
  const lookUp = (expression: string): string => {
    const [root = '', name = '', , key = ''] = expression.trim().split('.')
    if (root === 'inputs') return name === 'token' && inputs['token'] === undefined ? 'token-of-the-job' : given(name)
    if (root === 'steps') return outputs[name]?.[key] ?? ''
    if (root === 'env') return env[name] ?? ''
    if (expression.trim() === 'github.action_path') return projectRoot
    if (expression.trim() === 'runner.temp') return temp
    if (root === 'github') return environment[`GITHUB_${name.toUpperCase()}`] ?? ''
    return ''
  }
  const value = (expression: string): string => {
    const equal = /^(.*)==\s*'([^']*)'\s*$/.exec(expression)
    return equal === null ? lookUp(expression) : String(lookUp(equal[1] ?? '') === equal[2])
  }
  const filled = (text: string): string =>
    String(text).replace(/\$\{\{([^}]*)\}\}/g, (_, expression) => value(expression))
  const holds = (condition: string): boolean => condition.split('&&').every((part) => value(part) === 'true')

  let log = ''
  let ok = true
  const steps: string[] = []
  for (const step of action.runs.steps) {
    if (!ok || (step.if !== undefined && !holds(step.if))) continue
    steps.push(step.name)
    const settings = Object.fromEntries(Object.entries(step.with ?? {}).map(([key, text]) => [key, filled(text)]))
    if (step.uses?.startsWith('actions/checkout@')) {
      execFileSync('git', ['clone', '-q', '--depth=1', `--branch=${settings['ref']}`, `file://${remote}`, workspace])
    } else if (step.uses?.startsWith('actions/upload-artifact@')) {
      for (const path of (settings['path'] ?? '').split('\n').filter((line) => line !== '')) {
        if (existsSync(path)) cpSync(path, join(artifacts, basename(path)))
      }
    } else if (step.uses?.startsWith('actions/download-artifact@')) {
      cpSync(artifacts, settings['path'] ?? '', { recursive: true })
    } else if (step.run !== undefined) {
      for (const file of Object.values(files)) if (!existsSync(file)) writeFileSync(file, '')
      writeFileSync(files.GITHUB_OUTPUT, '')
      const own = Object.fromEntries(Object.entries(step.env ?? {}).map(([key, text]) => [key, filled(text)]))
      // A script that holds an expression could be written by whoever writes a title: none may.
      if (step.run.includes('${{')) throw new Error(`${step.name}: an expression stands in the script itself`)
      const ended = await execa('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step.run], {
        ...{ cwd: workspace, reject: false, all: true, extendEnv: false, stdin: 'ignore', timeout: 120_000 },
        env: { ...environment, ...files, RUNNER_TEMP: temp, HOME: home, ...env, ...own },
      })
      log += `## ${step.name}\n${ended.all}\n`
      ok = ended.exitCode === 0
      if (step.id !== undefined) outputs[step.id] = readOutputs(readFileSync(files.GITHUB_OUTPUT, 'utf8'))
      for (const line of readFileSync(files.GITHUB_ENV, 'utf8').split('\n')) {
        const at = line.indexOf('=')
        if (at > 0) env[line.slice(0, at)] = line.slice(at + 1)
      }
    }
  }
  const told = Object.entries(action.outputs).map(([name, output]) => [name, filled(output.value)])
  const summary = existsSync(files.GITHUB_STEP_SUMMARY) ? readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8') : ''
  return { ok, outputs: Object.fromEntries(told), steps, log, summary, workspace }
}

function readOutputs(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name = '', , value = ''] of text.matchAll(/^([\w-]+)<<(.+)\n([\s\S]*?)\n\2$/gm)) found[name] = value
  for (const [, name = '', value = ''] of text.matchAll(/^([\w-]+)=(.*)$/gm)) found[name] ??= value
  return found
}
