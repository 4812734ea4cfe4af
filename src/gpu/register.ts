/** Registers `gpu`; its code is loaded when it is chosen. */
import type { Command } from 'commander'

/** Adds `gpu`, `gpu fetch` and `gpu rm`. `exit` is told the exit code: 0, 1 failed, 130 interrupted. */
export function registerGpuCommand(program: Command, exit: (code: number) => void): void {
  const gpu = program
    .command('gpu')
    .summary('let a GPU compute: what there is, and the libraries for it')
    .description('Show what the embedded engine computes with, and fetch the libraries that let it use a GPU.')
    .action(async () => {
      const { showGpu } = await import('./commands.ts')
      exit(await showGpu())
    })

  gpu
    .command('fetch')
    .description('Fetch the libraries for a kind of GPU. From then on models use it.')
    .argument('<name>', 'cuda or vulkan')
    .action(async (name: string) => {
      const { fetchGpu } = await import('./commands.ts')
      exit(await fetchGpu(name))
    })

  gpu
    .command('rm')
    .description('Delete fetched libraries. Models run on the processor again.')
    .argument('<name>', 'cuda or vulkan')
    .action(async (name: string) => {
      const { removeGpu } = await import('./commands.ts')
      exit(await removeGpu(name))
    })
}
