/** The program's entry: argv in, exit code out. Loads nothing it does not need, so that `--version` is instant. */
process.stdout.write('not yet\n')
