import { LOOK_COMMANDS, readRows, readSessions, readStatus } from '../../core/bird/read-view.ts'
import { checkSwitched } from '../../core/bird/replies.ts'
import type { BirdEndpoint, BirdView, Depth, SessionRow } from '../../core/bird/view.ts'
import { AgentError } from '../../core/errors.ts'
import type { Bird } from '../../ports/bird.ts'
import { askAtSocket } from './ask.ts'
import { askInContainer, type Exec } from './ask-in-container.ts'
import { NoAnswer } from './no-answer.ts'
import { realPath, socketIdentity, socketState } from './socket-state.ts'

/** Names as BIRD 1.6 allows them between single quotes (conf/cf-lex.l). */
const PROTOCOL_NAME = /^[A-Za-z0-9_.:-]+$/

/** Asks through the host's socket, or through `exec` of birdcl in the container. */
export function createBird(exec: Exec): Bird {
  async function look(endpoint: BirdEndpoint, container: string, depth?: 'details'): Promise<BirdView>
  async function look(endpoint: BirdEndpoint, container: string, depth?: Depth): Promise<BirdView<SessionRow>>
  async function look(
    { via, socket }: BirdEndpoint,
    container: string,
    depth: Depth = 'details',
  ): Promise<BirdView<SessionRow>> {
    const commands = LOOK_COMMANDS[depth]
    try {
      const instance = via === 'host' ? await socketIdentity(socket) : null
      const [status = '', protocols = ''] =
        via === 'host'
          ? await askAtSocket(socket, commands)
          : await askInContainer(exec, container, socket, commands)
      const sessions = depth === 'rows' ? readRows(protocols) : readSessions(protocols)
      return { state: 'up', instance, ...readStatus(status), sessions }
    } catch (error) {
      if (error instanceof NoAnswer) return { state: error.state }
      throw error
    }
  }

  async function switchProtocol(
    action: 'disable' | 'enable',
    { via, socket }: BirdEndpoint,
    container: string,
    protocol: string,
  ): Promise<void> {
    if (!PROTOCOL_NAME.test(protocol)) throw unreachable(action, protocol, 'BIRD has no such name')
    const commands = [`${action} '${protocol}'`]
    try {
      const [reply = ''] =
        via === 'host'
          ? await askAtSocket(socket, commands)
          : await askInContainer(exec, container, socket, commands)
      checkSwitched(action, reply)
    } catch (error) {
      if (error instanceof NoAnswer) throw unreachable(action, protocol, error.message, error)
      throw error
    }
  }

  return {
    socketState,
    realPath,
    look,
    disable: (...args) => switchProtocol('disable', ...args),
    enable: (...args) => switchProtocol('enable', ...args),
  }
}

function unreachable(action: string, protocol: string, reason: string, cause?: unknown): AgentError {
  return new AgentError('bird-unreachable', `cannot ${action} ${protocol} in BIRD: ${reason}`, {
    fix: `run birdcl ${action} ${protocol} in the container`,
    ...(cause === undefined ? {} : { cause }),
  })
}
