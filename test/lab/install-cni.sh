#!/lab/busybox sh
# Installs the plugins and their config on the host, as calico/cni does (install-cni.sh, and `install` from v3.16 on).
set -eu
bin=/host/opt/cni/bin net=/host/etc/cni/net.d
for plugin in /opt/cni/bin/*; do
  name=${plugin##*/}
  cp "$plugin" "$bin/.$name.new"
  mv "$bin/.$name.new" "$bin/$name"
done
echo "Wrote Calico CNI binaries to $bin"

config=$net/${CNI_CONF_NAME:-10-calico.conf}
echo "$CNI_NETWORK_CONFIG" | sed -e "s/__KUBERNETES_NODE_NAME__/${KUBERNETES_NODE_NAME:-$(hostname)}/g" \
  -e "s/__CNI_MTU__/${CNI_MTU:-1500}/g" -e 's|__KUBECONFIG_FILEPATH__|/etc/cni/net.d/calico-kubeconfig|g' > "$config.new"
mv "$config.new" "$config"
echo "Created CNI config ${config##*/}"

case ${SLEEP:-true} in false) exit ;; esac
while :; do sleep 10; done
