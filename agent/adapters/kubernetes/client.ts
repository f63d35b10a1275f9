/** All that is used of the client. It weighs as much as the agent: scripts/build.ts keeps it out of the agent's own code. */
export { KubeConfig } from '@kubernetes/client-node'
