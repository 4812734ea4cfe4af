/** The settings of the sandbox: how far commands reach. A repository may set none of them. */
import * as z from 'zod'
import type { Setting } from './setting.ts'

const setting = <Value>(given: Setting<Value>): Setting<Value> => given

export const sandboxSettings = {
  sandbox: setting<'read-only' | 'workspace-write' | 'full-access' | 'external' | 'landlock'>({
    key: 'sandbox.mode',
    env: 'CACHALOT_SANDBOX',
    flag: '--sandbox <mode>',
    help: 'read-only, workspace-write, full-access (commands run unconfined), external (this container is the boundary), or landlock (a weaker box, for machines without namespaces)',
    kind: 'text',
    schema: z.enum(
      ['read-only', 'workspace-write', 'full-access', 'external', 'landlock'],
      'must be read-only, workspace-write, full-access, external or landlock',
    ),
    fallback: 'workspace-write',
    repository: false,
  }),
  network: setting<'off' | 'full'>({
    key: 'sandbox.network',
    env: 'CACHALOT_SANDBOX_NETWORK',
    help: 'whether commands reach the network: off or full',
    kind: 'text',
    schema: z.enum(['off', 'full'], 'must be off or full'),
    fallback: 'off',
    repository: false,
  }),
  allowHosts: setting<readonly string[]>({
    key: 'sandbox.hosts',
    env: 'CACHALOT_SANDBOX_HOSTS',
    help: 'hosts that commands reach while the network is off: example.org, *.example.org, example.org:8080',
    kind: 'words',
    schema: z.array(z.string().min(1)),
    fallback: [],
    repository: false,
  }),
  extraWrite: setting<readonly string[]>({
    key: 'sandbox.write',
    env: 'CACHALOT_SANDBOX_WRITE',
    help: 'more folders that commands may write (absolute paths; colon-separated in the environment)',
    kind: 'list',
    schema: z.array(z.string().startsWith('/', 'must be an absolute path')),
    fallback: [],
    repository: false,
  }),
  denyRead: setting<readonly string[]>({
    key: 'sandbox.hide',
    env: 'CACHALOT_SANDBOX_HIDE',
    help: 'paths hidden from commands, besides the built-in list of secrets',
    kind: 'list',
    schema: z.array(z.string().startsWith('/', 'must be an absolute path')),
    fallback: [],
    repository: false,
  }),
  passEnv: setting<readonly string[]>({
    key: 'sandbox.pass_env',
    env: 'CACHALOT_SANDBOX_PASS_ENV',
    help: 'environment variables that commands see, besides the built-in list',
    kind: 'list',
    schema: z.array(z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')),
    fallback: [],
    repository: false,
  }),
} as const
