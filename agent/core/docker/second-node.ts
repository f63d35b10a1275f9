import { isNodeProgram } from './calico-node.ts'
import { RUN_LABEL } from './container-spec.ts'

/** A container that runs, as the Engine's list has it. */
export interface RunningContainer {
  id: string
  /** Without the leading slash. */
  name: string
  /** The reference that it was created from. */
  image: string
  /** Entrypoint and command, in a line. */
  command: string
  labels: Record<string, string>
  networkMode: string
  mounts: { target: string; writable: boolean }[]
}

/** Those that are a calico/node, beside the ones that are known. */
export function otherNodes(running: RunningContainer[], known: string[]): RunningContainer[] {
  return running.filter((one) => !known.includes(one.id) && isCalicoNode(one))
}

/**
 * A run made it, or it works as calico/node does: on the host's network and with BIRD's directory to write to. An
 * exporter that reads BIRD's socket is none.
 */
function isCalicoNode({ image, command, labels, networkMode, mounts }: RunningContainer): boolean {
  const run = labels[RUN_LABEL]
  if (run !== undefined) return !run.endsWith('-controllers')
  const hasBirdDirectory = mounts.some(({ target, writable }) => writable && BIRD_DIRECTORY.test(target))
  return networkMode === 'host' && hasBirdDirectory && isNodeProgram(image, command)
}

const BIRD_DIRECTORY = /^(\/var)?\/run(\/calico)?\/?$/
