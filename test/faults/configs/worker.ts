import { writeFile } from 'node:fs/promises'
import { createCniConfigs } from '../../../agent/adapters/cni-config.ts'

/** Worker ACTION PATH TEXT WAY-BACK: one change of a CNI config; `in-place` is the control. */
async function main([action, path = '', text = '', wayBack = '']: string[]): Promise<void> {
  const configs = createCniConfigs()
  if (action === 'replace') await configs.replace(path, text, wayBack)
  if (action === 'restore') await configs.restore(path, text, wayBack)
  if (action === 'in-place') await writeFile(path, text)
}

void main(process.argv.slice(2))
