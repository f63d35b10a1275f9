import { brokenBirds } from './broken-birds.ts'
import type { HostOptions } from './fake-host.ts'

/** Hosts that a run may meet, each with a name. */
export const shapes: [string, HostOptions][] = [
  ['--restart=always', {}],
  ['--restart=unless-stopped', { policy: 'unless-stopped' }],
  ['--restart=on-failure', { policy: 'on-failure' }],
  ['no restart policy', { policy: 'no' }],
  ['--rm', { policy: 'no', autoRemove: true }],
  ['a dead peer', { deadPeer: true }],
  ['a Node of a cluster', { inCluster: true }],
  [
    'a Node of a cluster, and a BIRD that does not come',
    { inCluster: true, ...brokenBirds['a BIRD whose sessions never come'] },
  ],
  ['a change of the CNI config', { withConfig: true }],
  ['other CNI plugins', { withPlugins: true }],
  ['other CNI plugins and config', { withPlugins: true, withConfig: true }],
  [
    'other CNI plugins, and a BIRD that does not come',
    { withPlugins: true, ...brokenBirds['a BIRD whose sessions never come'] },
  ],
  ...Object.entries(brokenBirds).map(([name, broken]): [string, HostOptions] => [name, broken]),
]
