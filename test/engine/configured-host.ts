import type { WantedCniConfig } from '../../agent/core/wanted.ts'
import { FakeCniConfigs, FakeKubelet } from '../fakes/cni-config.ts'

const CONFIG = '/etc/cni/net.d/10-calico.conf'
const OLD = '{ "name": "calico", "type": "calico", "ipam": { "type": "calico-ipam" } }\n'
const NEW = '{ "name": "calico", "type": "calico", "ipam": { "type": "calico-ipam" }, "mtu": 1440 }\n'

/** The CNI config of a host, under a kubelet that reads it at its start only. */
export class ConfiguredHost {
  readonly configs: FakeCniConfigs
  readonly kubelet: FakeKubelet
  readonly wanted: WantedCniConfig = {
    configDir: '/etc/cni/net.d',
    configFile: null,
    merge: { mtu: 1440 },
    binDir: '/opt/cni/bin',
    kubelet: { unit: 'kubelet.service', restart: 'auto' },
  }
  readonly #writtenAt: number | undefined

  constructor(ops: string[]) {
    this.configs = new FakeCniConfigs(ops)
    this.configs.put(CONFIG, OLD)
    this.#writtenAt = this.configs.files.get(CONFIG)?.mtime
    this.kubelet = new FakeKubelet(() => this.configs.files.get(CONFIG)?.text ?? null, ops)
    this.kubelet.start()
  }

  /** Somebody else writes it. */
  writeElse(): void {
    this.configs.put(CONFIG, '{}')
  }

  /** In words, what is not as it must be. */
  flaws(isChanged: boolean): string[] {
    const { files } = this.configs
    const { text, mtime } = files.get(CONFIG) ?? {}
    return [
      ...(text === (isChanged ? NEW : OLD) ? [] : [`the CNI config is ${text ?? 'gone'}`]),
      ...(isChanged || mtime === this.#writtenAt ? [] : ['the CNI config was written again']),
      ...(this.kubelet.hasRead === text ? [] : ['the kubelet has read another CNI config']),
      ...[...files.keys()].filter((path) => path !== CONFIG).map((path) => `${path} is left`),
    ]
  }
}
