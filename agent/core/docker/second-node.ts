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
  return hasBirdOfHost({ networkMode, mounts }) && isNodeProgram(image, command)
}

/** It is on the host's network, and has BIRD's directory to write to. */
export function hasBirdOfHost({
  networkMode,
  mounts,
}: Pick<RunningContainer, 'networkMode' | 'mounts'>): boolean {
  return (
    networkMode === 'host' && mounts.some(({ target, writable }) => writable && BIRD_DIRECTORY.test(target))
  )
}

const BIRD_DIRECTORY = /^(\/var)?\/run(\/calico)?\/?$/
