import { addAbortSignal, type Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { readUpTo } from './read.ts'

interface DialOptions {
  isStream?: boolean
  abortSignal?: AbortSignal
}

type Callback = (error: unknown, reply: unknown) => void

interface Transport {
  dial(options: DialOptions, callback: Callback): void
}

/** An inspected container has 10 kB, a list of a thousand 1 MB. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * The library never settles a call whose answer is cut after its headers. As a stream such an answer ends with an error:
 * so each one is taken as a stream, and read here.
 */
export function withWholeAnswers(engine: Dockerode): Dockerode {
  const transport = engine.modem as Transport
  const dial = transport.dial.bind(transport)
  transport.dial = (options, callback) => {
    if (options.isStream === true) {
      dial(options, callback)
      return
    }
    dial({ ...options, isStream: true }, (error, reply) => {
      if (error !== null) callback(error, null)
      else
        readAnswer(reply as Readable, options.abortSignal).then(
          (answer) => {
            callback(null, answer)
          },
          (failure: unknown) => {
            callback(failure, null)
          },
        )
    })
  }
  return engine
}

/** As the library gives it: what its JSON says, or the bytes where that is nothing. */
async function readAnswer(reply: Readable, abortSignal: AbortSignal | undefined): Promise<unknown> {
  if (abortSignal) addAbortSignal(abortSignal, reply)
  const bytes = await readUpTo(reply, MAX_BYTES)
  try {
    return (JSON.parse(bytes.toString()) as unknown) || bytes
  } catch {
    return bytes
  }
}
