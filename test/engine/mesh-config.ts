export const BIRD_CFG = '/etc/calico/confd/config/bird.cfg'

/** As before Calico v3.4: both ends of each session dial. */
export const MESH = [2, 3, 9]
  .map((host) => `protocol bgp Mesh_192_0_2_${host} { neighbor 192.0.2.${host} as 64512; }\n`)
  .join('')
