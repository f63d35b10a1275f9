import { type Host, pluginState, pluginsOf } from '../lab/index.ts'

/** In words, what is wrong after a run that ended so. */
export type Judge = (outcome: string) => Promise<string[]>

export const noFlaws: Judge = () => Promise.resolve([])

/** All of the host's plugins must be old or all new in the end, nothing staged beside them. */
export async function asThePluginsWere(host: Host): Promise<Judge> {
  const before = await pluginState(host)
  return async (outcome) => {
    if (outcome !== 'upgraded')
      return (await pluginState(host)) === before ? [] : [`after ${outcome} the plugins differ`]
    const found = await pluginsOf(host)
    const mixed = found['calico'] !== found['calico-ipam'] || found['calico'] === 'of old'
    const left = Object.keys(found).some((file) => file.includes('.new'))
    return mixed || left ? [`after ${outcome} the plugins are ${JSON.stringify(found)}`] : []
  }
}
