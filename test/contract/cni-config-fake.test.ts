import { FakeCniConfigs } from '../fakes/cni-config.ts'
import { cniConfigContract } from './cni-config-contract.ts'

cniConfigContract('the fake', async () => {
  const configs = new FakeCniConfigs()
  const directory = '/etc/cni/net.d'
  const world = {
    configs,
    directory,
    put: async (name: string, text: string) => {
      configs.put(`${directory}/${name}`, text)
      await Promise.resolve()
    },
    names: async () => {
      const names = [...configs.files.keys()].map((path) => path.slice(directory.length + 1))
      return await Promise.resolve(names.sort())
    },
    stamp: async (name: string) => {
      return await Promise.resolve(String(configs.files.get(`${directory}/${name}`)?.mtime))
    },
  }
  return await Promise.resolve(world)
})
