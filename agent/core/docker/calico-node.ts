import type { ContainerJson } from './json.ts'

/** The repository's name, or the start-up program that only calico/node has. */
export function looksLikeCalicoNode({ Config }: ContainerJson): boolean {
  const repository = Config.Image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const program = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])].join(' ')
  return (
    /(^|\/)(calico\/node|calico-node|cnx-node)$/.test(repository) || /start_runit|calico-node/.test(program)
  )
}
