import type { ContainerJson } from './json.ts'

export function looksLikeCalicoNode({ Config }: ContainerJson): boolean {
  return isNodeProgram(Config.Image, [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])].join(' '))
}

/** By the repository's name, or by the start-up program that only calico/node has. */
export function isNodeProgram(image: string, program: string): boolean {
  const repository = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  return (
    /(^|\/)(calico\/node|calico-node|cnx-node)$/.test(repository) || /start_runit|calico-node/.test(program)
  )
}
