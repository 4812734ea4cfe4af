/** The place an interactive session works in: models and sandbox opened when first needed, kept between sessions. */
import { join } from 'node:path'
import { openSession } from '../../agent/index.ts'
import { choices, defaultModelName, listModels, type Model, readMachine } from '../../engine/index.ts'
import { guaranteeText, type Policy, type Sandbox } from '../../sandbox/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { type Config, settingNames, settings } from '../config/settings.ts'
import { bytesText } from '../model/bytes.ts'
import { modelFolders } from '../model/context.ts'
import { fitText } from '../model/fit-text.ts'
import { chooseModel } from '../model/use.ts'
import { withEffortOf } from '../open/effort.ts'
import { openMoreTools } from '../open/mcp.ts'
import { openModel } from '../open/model.ts'
import { openWantedSandbox } from '../open/sandbox.ts'
import { sessionSettings } from '../open/workplace.ts'
import type { Paths } from '../paths.ts'
import { version } from '../version.ts'
import type { InterfaceSettings } from './interface.ts'
import type { OpenRequest, Place } from './place.ts'

export interface PlaceOptions {
  /** Absolute, real path of the work tree. */
  readonly root: string
  readonly paths: Paths
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Record<string, unknown>>
}

/** Reads the settings; throws UsageError for a wrong one. `warnings` are lines for the user. */
export function openPlace(options: PlaceOptions): {
  readonly place: Place
  readonly warnings: readonly string[]
  readonly settings: Partial<InterfaceSettings>
} {
  const { root, paths, environment, flags } = options
  const { config, origins, warnings } = resolveConfig({ cwd: root, paths, environment, flags })
  let sandbox: Promise<Sandbox> | undefined
  let more: ReturnType<typeof openMoreTools> | undefined
  let held: HeldModel | undefined
  const confined = (): Promise<Sandbox> => {
    sandbox ??= openWantedSandbox(config, root)
    return sandbox
  }

  const modelFor = async (wanted: Config, request: OpenRequest): Promise<Model> => {
    const { model: name, effort } = wanted
    if (held !== undefined && held.name === name && (await hasEffort(held, effort))) return await held.model
    const before = held?.model
    const model = (async () => {
      await before?.then((one) => one.close()).catch(() => undefined) // it never opened: told then
      const { signal, onStatus, onNotice } = request
      return openModel({
        config: wanted,
        paths,
        signal,
        mayAsk: false,
        animated: true,
        // What a session has read is still there for the next one: /fork, /new and /resume read nothing again.
        keepSequences: 1,
        onStatus,
        onNotice,
      })
    })()
    held = { name, effort, model }
    // A model that could not be opened is tried again by the next session.
    model.catch(() => {
      if (held?.model === model) held = undefined
    })
    return await model
  }

  const settingsFor = sessionSettings({ config, cwd: root, paths })
  /** The mode is asked anew for each call: it changes while a session goes on. */
  const policyFor = (mode: OpenRequest['sandboxMode']): Policy => ({
    ...settingsFor.policy,
    get mode() {
      return mode(settingsFor.policy.mode)
    },
  })

  const place: Place = {
    root,
    version,
    folders: paths,
    environment,
    model: config.model ?? defaultModelName,
    network: config.network,
    hosts: config.allowHosts,
    async openSession(request) {
      more ??= openMoreTools(config, { cwd: root, onNotice: (text) => request.onNotice('warning', text) })
      const [model, box, { tools }] = await Promise.all([
        withEffortOf({ ...config, model: request.model ?? config.model }, request.resume).then((wanted) =>
          modelFor(wanted, request),
        ),
        confined(),
        more,
      ])
      const { approve, asksBefore, resume } = request
      return openSession({
        ...settingsFor,
        model,
        sandbox: box,
        moreTools: tools,
        policy: policyFor(request.sandboxMode),
        approve,
        asksBefore,
        resume,
      })
    },
    async sandbox() {
      const { backend, problem, guarantees } = await confined()
      if (backend === 'none' && config.sandbox === 'full-access')
        return { backend, works: true, words: 'none, as you chose: commands run with all your rights' }
      if (problem !== undefined)
        return { backend: 'none', works: false, words: `commands will not run: ${problem.message}` }
      const most = (['write-outside', 'net-off', 'secrets-hidden', 'kill-all'] as const).filter((one) =>
        guarantees.includes(one),
      )
      const words = most.map((one) => guaranteeText[one]).join('; ')
      return {
        backend,
        works: true,
        words: words === '' ? `${backend}: this container is the boundary` : `a command ${words}`,
      }
    },
    async runCommand(line, { signal, mode, onOutput }) {
      const policy = policyFor((widest) => (widest === 'full-access' ? widest : mode))
      const limits = { seconds: 600, outputBytes: 256 << 10 }
      return (await confined()).run({ line, cwd: root }, { policy, limits, signal, onOutput })
    },
    async models() {
      const [machine, known] = [await readMachine(), await listModels(modelFolders(paths))]
      const offered = new Map(choices(machine).map((choice) => [choice.entry.name, choice]))
      return known.map(({ name, onDisk }) => {
        const choice = offered.get(name)
        const detail =
          choice === undefined
            ? ''
            : `${bytesText(choice.entry.bytes)}, ${choice.entry.licence}, fits: ${fitText(choice.fit)}`
        return { name, here: onDisk, detail }
      })
    },
    keepModel: (name) => chooseModel(name, paths),
    async needsModel() {
      if (config.model !== undefined || config.baseUrl !== undefined) return false
      return !(await listModels(modelFolders(paths))).some(({ onDisk }) => onDisk)
    },
    settings: () =>
      settingNames.map((name) => ({ key: settings[name].key, value: config[name], origin: origins[name] })),
    async close() {
      await more?.then((one) => one.close())
      await held?.model.then((model) => model.close()).catch(() => undefined) // it never opened: told then
    },
  }
  const { theme, mode, reasoning, statusLine, editorKeys, notify } = config
  const chosen: Partial<InterfaceSettings> = {
    ...(theme === undefined ? {} : { theme }),
    ...(mode === undefined ? {} : { mode }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(statusLine === undefined ? {} : { status: statusLine }),
    vim: editorKeys === 'vim',
    rings: notify !== 'off',
  }
  return { place, warnings, settings: chosen }
}

export const trustFile = (paths: Paths): string => join(paths.state, 'trusted.json')

interface HeldModel {
  readonly name: string | undefined
  /** As it was asked for; undefined: the usual one. */
  readonly effort: Config['effort']
  readonly model: Promise<Model>
}

/** Also where the usual one is what an earlier session had. */
async function hasEffort(held: HeldModel, wanted: Config['effort']): Promise<boolean> {
  if (held.effort === wanted) return true
  if (held.effort !== undefined || wanted === undefined) return false
  return await held.model.then(
    ({ info }) => info.effort === wanted,
    () => false, // it never opened
  )
}
