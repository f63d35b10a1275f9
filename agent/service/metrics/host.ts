import { isError } from '../../core/errors.ts'
import type { StatusReport } from '../../core/report/status.ts'
import type { Metric, Sample } from './metric.ts'

/** What a look at the host shows; null if it was not possible. */
export function hostMetrics(host: StatusReport | null): Metric[] {
  const { node, bird, kubernetes, unfinishedRun } = host ?? {}
  const daemons = bird ?? []
  return [
    {
      name: 'host_seen',
      help: 'Whether Docker, BIRD and the journals could be read for this scrape',
      samples: [[host === null || host.problems.some(isError) ? 0 : 1]],
    },
    {
      name: 'node_info',
      help: 'The calico/node container',
      samples: node ? [[1, { image: node.image, version: node.version ?? '' }]] : [],
    },
    {
      name: 'node_running',
      help: 'Whether the calico/node container runs',
      samples: node ? [[node.state === 'running' ? 1 : 0]] : [],
    },
    {
      name: 'node_unschedulable',
      help: 'Whether the Kubernetes Node of this host is cordoned',
      samples: kubernetes?.node
        ? [[kubernetes.node.unschedulable ? 1 : 0, { node: kubernetes.node.name }]]
        : [],
    },
    {
      name: 'uncordon_pending',
      help: 'Whether a run could not uncordon the Node yet',
      samples: kubernetes ? [[kubernetes.uncordonPending === null ? 0 : 1]] : [],
    },
    {
      name: 'unfinished_run',
      help: 'Whether a run is in progress or was interrupted',
      samples: host === null ? [] : [[unfinishedRun ? 1 : 0]],
    },
    {
      name: 'bird_up',
      help: 'BIRD daemons that answer',
      samples: bird === null || bird === undefined ? [] : [[daemons.length]],
    },
    {
      name: 'bird_recovering',
      help: 'Whether a graceful-restart recovery is in progress',
      samples: daemons.map(({ family, recovering }) => [recovering ? 1 : 0, { family: String(family) }]),
    },
    {
      name: 'bird_sessions',
      help: 'BGP sessions by address family and state',
      samples: daemons.flatMap(({ family, sessions }) => {
        const up = sessions.filter(({ established }) => established).length
        return [
          [up, { family: String(family), state: 'established' }],
          [sessions.length - up, { family: String(family), state: 'down' }],
        ] satisfies Sample[]
      }),
    },
  ]
}
