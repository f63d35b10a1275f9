import type { ContainerJson } from './json.ts'

/** By the repository's name, or by the start-up program that only calico/node has. */
export function looksLikeCalicoNode({ Config }: ContainerJson): boolean {
  const repository = Config.Image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const program = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])].join(' ')
  return (
    /(^|\/)(calico\/node|calico-node|cnx-node)$/.test(repository) || /start_runit|calico-node/.test(program)
  )
}
