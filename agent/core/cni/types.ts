import type { GoType } from '../json/go-decode.ts'

const strings: GoType = { listOf: 'string' }

/** Fields of one type, by their names. */
function each(type: GoType, names: string): Record<string, GoType> {
  return Object.fromEntries(names.split(' ').map((name) => [name, type]))
}

/** What libcni decodes of each plugin: the kubelet skips a file that it cannot decode (pkg/types, NetConf). */
export const PLUGIN: GoType = {
  fields: {
    ...each('string', 'cniVersion name type'),
    capabilities: { mapOf: 'bool' },
    ipam: { fields: { type: 'string' } },
    dns: { fields: { domain: 'string', ...each(strings, 'nameservers search options') } },
  },
}

/** The fields of a list itself (libcni/conf.go); in a plugin, they have no effect. */
export const LIST_FIELDS = [
  'cniVersion',
  'cniVersions',
  'name',
  'disableCheck',
  'disableGC',
  'loadOnlyInlinedPlugins',
  'plugins',
]

/** What Calico's plugins decode of their own config (cni-plugin/pkg/types, NetConf): if they cannot, every pod fails. */
export const CALICO: GoType = {
  fields: {
    ...each(
      'string',
      'cniVersion name type mode vxlan_mac_prefix nodename nodename_file ipam_lock_file hostname',
    ),
    ...each('string', 'datastore_type etcd_endpoints etcd_discovery_srv etcd_scheme etcd_authority'),
    ...each(
      'string',
      'etcd_key_file etcd_cert_file etcd_ca_cert_file log_level log_file_path endpoint_status_dir',
    ),
    ...each('int', 'mtu num_queues log_file_max_size log_file_max_age log_file_max_count'),
    ...each('int', 'policy_setup_timeout_seconds windows_pod_deletion_timestamp_timeout'),
    ...each(
      'bool',
      'nodename_file_optional include_default_routes require_mtu_file windows_use_single_network',
    ),
    ...each('bool', 'windows_disable_default_deny_all_policy windows_loopback_DSR'),
    vxlan_vni: 'uint',
    readiness_gates: strings,
    ipam: {
      fields: {
        ...each('string', 'name type subnet assign_ipv4 assign_ipv6'),
        ...each(strings, 'ipv4_pools ipv6_pools ip_pools_label_selector_keys'),
        disable_finalizers: 'bool',
      },
    },
    policy: {
      fields: each(
        'string',
        'type k8s_api_root k8s_auth_token k8s_client_certificate k8s_client_key k8s_certificate_authority',
      ),
    },
    kubernetes: { fields: each('string', 'k8s_api_root kubeconfig node_name') },
    feature_control: { fields: each('bool', 'ip_addrs_no_ipam floating_ips') },
    container_settings: { fields: each('bool', 'allow_ip_forwarding') },
    dataplane_options: { fields: {} },
    args: { fields: {} },
  },
}
