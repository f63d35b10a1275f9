import { DIRECTORY, type Shape } from './host.ts'

/** A shape, and what an upgrade makes of it. */
export interface Row extends Shape {
  /** The row of docs/owners.md that it is an example of, by its first words. */
  row: string
  /** The file that is changed; null where none needs to be. */
  changed?: string | null
  /** What the problem says; the command that shows it is quoted. */
  refused?: string
  warned?: string
}

export const UNIT = `${DIRECTORY}/calico-node.service`
const OPTS = '--net=host --privileged -e NODENAME=host-1 -v /var/run/calico:/var/run/calico'
export const RUN = `/usr/bin/docker run --name=calico-node ${OPTS}`

export const text = (...lines: string[]): string =>
  ['[Service]', ...lines, '[Install]', 'WantedBy=multi-user.target', ''].join('\n')
/** One unit of this name, with these lines. */
export const unit = (...lines: string[]): Shape => ({ files: { [UNIT]: text(...lines) } })
export const over = { 'calico-node.service': { active: 'inactive' } }
