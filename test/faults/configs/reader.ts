import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { inKubeletOrder, isValid, judgeConfig, LIVE_ENDING } from '../../../agent/core/cni/config.ts'

/** Told to a reader: the directory and what its Calico config may say. `shared`: a flag that ends it, and who reads. */
export interface ReaderTask {
  directory: string
  name: string
  texts: string[]
  shared: SharedArrayBuffer
}

/** What it saw: reads that found one of the texts, and in words the others. */
export interface ReaderResult {
  good: number
  wrong: string[]
}

/** As a kubelet looks for its config, without pause. */
function readUntilStopped({ directory, name, texts, shared }: ReaderTask): ReaderResult {
  const result: ReaderResult = { good: 0, wrong: [] }
  const [stop, started] = [0, 1]
  const flags = new Int32Array(shared)
  Atomics.add(flags, started, 1)
  while (Atomics.load(flags, stop) === 0) {
    const seen = firstValid(directory)
    if (seen?.name === name && texts.includes(seen.text)) result.good++
    else if (result.wrong.length < 5)
      result.wrong.push(seen ? `${seen.name}, ${seen.text.length} characters` : 'none')
  }
  return result
}

function firstValid(directory: string): { name: string; text: string } | undefined {
  const live = readdirSync(directory).filter((name) => LIVE_ENDING.test(name))
  for (const { name } of inKubeletOrder(live.map((one) => ({ name: one })))) {
    const text = textOf(join(directory, name))
    const judged = judgeConfig({ name, isLink: false, content: { text } })
    if (isValid(judged)) return { name, text }
  }
  return undefined
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

parentPort?.postMessage(readUntilStopped(workerData as ReaderTask))
