/** The commands by which other programs use Cachalot: registered here, loaded when chosen. */
import type { Command } from 'commander'
import { help } from '../help.ts'
import { version } from '../version.ts'

/** Adds `serve`, `mcp`, `acp`, `completion` and `man`. `withSettings` adds the flags that are settings. */
export function registerProtocolCommands(
  program: Command,
  exit: (code: number) => void,
  withSettings: (command: Command) => Command,
): void {
  withSettings(
    program
      .command('serve')
      .summary('offer the embedded model to other programs of this machine')
      .description(
        'Offer the embedded model on loopback, as OpenAI chat completions and responses and as Anthropic messages, until Ctrl-C. Who asks needs the token that is printed.',
      )
      .option('--port <n>', 'listen on this port; 0: a free one (default: 8417)')
      .option('--token <token>', 'ask for this token (or CACHALOT_SERVE_TOKEN); default: a new one, printed once')
      .option('--parallel <n>', 'answer so many requests at once (default: 1)')
      .option('--json', 'print address, model and token as one JSON line'),
  )
    .addHelpText('after', serveExamples)
    .action(async (flags: Record<string, unknown>) => {
      const { serveCommand } = await import('../serve/serve.ts')
      exit(await serveCommand(flags))
    })

  withSettings(
    program
      .command('acp')
      .summary('be the agent of an editor that speaks the Agent Client Protocol')
      .description(
        'Speak the Agent Client Protocol on stdin and stdout, so that Zed and other editors drive Cachalot. The editor starts this; docs/protocols.md shows how to tell it.',
      ),
  ).action(async (flags: Record<string, unknown>) => {
    const { acpCommand } = await import('../acp/acp.ts')
    exit(await acpCommand(flags))
  })

  withSettings(
    program
      .command('mcp')
      .summary('offer run, fix and undo to other agents (Model Context Protocol)')
      .description(
        'Be a server of the Model Context Protocol on stdin and stdout: other agents give tasks (run), failing checks (fix) and take back (undo). What they may do is what the settings say, as from a shell.',
      ),
  ).action(async (flags: Record<string, unknown>, command: Command) => {
    const { mcpCommand } = await import('../mcp/serve.ts')
    exit(await mcpCommand(flags, settingWords(command)))
  })

  program
    .command('completion')
    .summary('print a script by which your shell completes commands')
    .description('Print the completion script of a shell: eval "$(cachalot completion bash)".')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const [{ completion }, { commandTable }] = [await import('./completion.ts'), await import('./command-table.ts')]
      process.stdout.write(completion(shell, commandTable(program)))
    })

  program
    .command('man')
    .summary('print the manual page')
    .description('Print the manual page: cachalot man | man -l -')
    .action(async () => {
      const [{ manPage }, { commandTable }] = [await import('./man-page.ts'), await import('./command-table.ts')]
      process.stdout.write(manPage(commandTable(program), version, help))
    })
}

/** The settings that were given, as flags again. */
function settingWords(command: Command): string[] {
  return command.options.flatMap(({ long }) => {
    const name = long?.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) ?? ''
    const value: unknown = name === 'cwd' ? undefined : command.opts()[name]
    return typeof value === 'string' && long !== undefined && long !== null ? [long, value] : []
  })
}

const serveExamples = `
Examples:
  cachalot serve
  cachalot serve --model qwen2.5-coder-1.5b --context 32768 --port 0 --json
  OPENAI_BASE_URL=http://127.0.0.1:8417/v1 OPENAI_API_KEY=<token> some-tool
  ANTHROPIC_BASE_URL=http://127.0.0.1:8417 ANTHROPIC_AUTH_TOKEN=<token> some-tool

Exit codes: 0 ended, 2 usage, 3 model or engine`
