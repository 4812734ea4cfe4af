/** The GitLab template: the scripts of its two jobs, a real remote, the built program. */
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { editCall } from '../calls.ts'
import { launcher, projectRoot, type Scratch, scratch } from '../program.ts'
import { mutations, writeBroken } from '../red.ts'
import { bareRemote, gitOf } from './forge.ts'

vi.setConfig({ testTimeout: 120_000 })

interface Job {
  readonly script: readonly string[]
  readonly environment?: { readonly name: string }
  readonly artifacts?: { readonly paths: readonly string[] }
  readonly variables: Readonly<Record<string, string>>
}
const template = parse(readFileSync(join(projectRoot, 'ci', 'gitlab.yml'), 'utf8')) as Record<string, Job>
const broken = mutations.find(({ name }) => name === 'wrong operator')!

let place: Scratch
let remote: string
beforeEach(() => {
  place = scratch({ 'README.md': 'Shop.\n' })
  writeBroken(place.repo, 'shop', broken)
  const git = gitOf(place.repo)
  git('add', '-A')
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-qm', 'shop')
  mkdirSync(join(place.home, 'octo'))
  mkdirSync(join(place.home, 'bin'))
  remote = bareRemote(place.home, place.repo)
  gitOf(remote)('config', 'receive.advertisePushOptions', 'true')
  const hook = join(remote, 'hooks', 'post-receive')
  writeFileSync(hook, `#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION > ${place.home}/options\n`)
  chmodSync(hook, 0o755)
  const program = join(place.home, 'bin', 'cachalot')
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${launcher} "$@"\n`)
  chmodSync(program, 0o755)
})
afterEach(() => place.remove())

async function job(name: string, folder: string, more: Readonly<Record<string, string>>) {
  const { script, environment } = template[name]!
  return await execa('bash', ['-e', '-o', 'pipefail', '-c', script.join('\n')], {
    ...{ cwd: folder, reject: false, all: true, extendEnv: false, stdin: 'ignore' },
    env: {
      ...{ PATH: `${join(place.home, 'bin')}:${process.env['PATH']}`, HOME: place.home, GITLAB_CI: 'true' },
      ...{ CI_PROJECT_DIR: folder, CACHALOT_HOME: join(folder, '.cachalot-ci'), CI_PIPELINE_ID: '99' },
      ...{ CI_COMMIT_BRANCH: 'main', CI_PROJECT_ID: '5', CI_PROJECT_URL: `file://${place.home}/octo/shop` },
      ...{ CI_JOB_TOKEN: 'token-of-the-job', CACHALOT_CHECK: 'sh check.sh' },
      // The variable's scope: only the job of that environment has it.
      ...(environment?.name === 'cachalot-publish' && { CACHALOT_TOKEN: 'token-that-writes' }),
      ...more,
    },
  })
}

test('work leaves a patch, publish pushes a branch and asks for a merge request', async () => {
  const model = place.script([{ calls: [editCall(broken.path, broken.now, broken.was)] }, { text: 'A plus.' }])
  const clone = join(place.home, 'clone')
  gitOf(place.home)('clone', '-q', remote, clone)
  const work = await job('cachalot:work', clone, { CACHALOT_MODEL: model, CACHALOT_SETUP: '' })
  expect(work.all).toContain('fixed: A plus.')
  expect(work.exitCode).toBe(0)
  const bare = join(place.home, 'publish')
  mkdirSync(join(bare, '.cachalot-ci', 'out'), { recursive: true })
  for (const path of template['cachalot:work']!.artifacts!.paths) cpSync(join(clone, path), join(bare, path))
  const fork = await job('cachalot:publish', bare, { CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '6' })
  expect(fork.all).toContain('refused: the merge request comes from a fork')
  expect(fork.exitCode).toBe(1)
  const published = await job('cachalot:publish', bare, {})
  expect(published.all).toMatch(/pushed [0-9a-f]{12} as cachalot\/run-99-/)
  expect(published.exitCode).toBe(0)
  const options = readFileSync(join(place.home, 'options'), 'utf8')
  expect(options).toContain('merge_request.create')
  expect(options).toContain('merge_request.target=main')
  expect(options).toContain('merge_request.title=Repair: sh check.sh')
  expect(`${work.all}${published.all}`).not.toContain('token-')
  expect(template['cachalot:work']).not.toHaveProperty('environment')
})
