import { RESTORED_LABEL, RUN_LABEL } from './container-spec.ts'

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

/** Those that are a calico/node, beside the ones that are known and those that took their place on a way back. */
export function otherNodes(running: RunningContainer[], known: string[]): RunningContainer[] {
  const isKnown = ({ id, labels }: RunningContainer) =>
    known.includes(id) || known.includes(labels[RESTORED_LABEL] ?? '')
  return running.filter((one) => !isKnown(one) && isCalicoNode(one))
}

/**
 * A run made it, or it works as calico/node does: on the host's network, with BIRD's directory to write to, and by its
 * start-up program. An exporter that reads BIRD's socket is none, nor is this agent in a container, nor `docker run
 * calico/node birdcl`.
 */
function isCalicoNode({ command, labels, networkMode, mounts }: RunningContainer): boolean {
  const run = labels[RUN_LABEL]
  if (run !== undefined) return !run.endsWith('-controllers')
  return hasBirdOfHost({ networkMode, mounts }) && START_UP.test(command)
}

/** A word of its own: the last part of a path, or in the line of a shell; or what it becomes once it runs. */
const START_UP = /(^|[\s/'"])start_runit($|[\s'";&|])|(^|\/)runsvdir\s.*\/etc\/service\/enabled/

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
