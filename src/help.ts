/** What `cachalot --help` prints: text of its own, so that help needs no parser and is there at once. */
export const help = `Cachalot, a coding agent for the terminal with its own embedded model.

Usage:
  cachalot                          start an interactive session in this folder
  cachalot --continue               go on with the last one here   (--resume: choose one)
  cachalot run "<task>"             do one task and end   (also: cachalot -p "<task>")
  cachalot fix --check "<command>"  repair what a failing check complains of, and run it again
  cachalot ci <step>                the same in a pipeline: gate, work, publish (docs/ci.md)
  cachalot model <command>          list, pull, use and remove models
  cachalot gpu                      let a GPU compute: what there is, and the libraries for it
  cachalot context                  show what of the repository is in the context, what is not, and why
  cachalot warm                     read the repository ahead, so that sessions begin with it
  cachalot cache <command>          saved readings: ls, rm, gc, pin, export, import
  cachalot undo [N]                 take back what the last turns changed in files   (--list, redo)
  cachalot audit <session>          what a session did: commands, files, network, approvals
  cachalot replay <session>         hold a session once more and tell the first difference
  cachalot remote                   servers for models too large for this machine
  cachalot serve                    offer the embedded model to other programs of this machine
  cachalot acp                      be the agent of an editor (Agent Client Protocol)
  cachalot mcp                      offer run, fix and undo to other agents (Model Context Protocol)
  cachalot config                   show every setting, its value and where it comes from
  cachalot doctor                   say what works on this machine and what does not
  cachalot sandbox -- <command>     run a command in the sandbox of the model's commands
  cachalot completion <shell>       a script by which bash, zsh or fish completes commands   (also: man)
  cachalot <command> --help         what a command can do

Examples:
  cachalot run "Add a --json flag to cli.py"
  npm test 2>&1 | cachalot run "Make this test pass"
  cachalot run "Rename load to readConfig everywhere" --json > events.jsonl
  cachalot run "Explain src/parse.ts" --quiet | less
  cachalot run "Fix the typo in README.md" --base-url http://127.0.0.1:8080/v1 --model qwen3

The first run fetches a small model (1.1 GB) if there is none. Nothing leaves this machine unless you name an
endpoint. Commands of the model run in a sandbox: it can write here and nowhere else, and has no network.

Exit codes of run:
  0 done   1 not done   2 usage   3 model or engine   4 sandbox missing   5 limit reached   7 denied
  130 interrupted

Settings: ~/.config/cachalot/config.toml < .cachalot/config.toml < CACHALOT_* < flags
`
