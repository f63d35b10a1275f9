# Read by the packages' scripts and by scripts/install.

service=calico-agent.service
state=/var/lib/calico-agent

has() { command -v "$1" >/dev/null 2>&1; }

tell_interrupted() {
  if is_at_work "$state"; then return; fi
  unsettled_runs "$state" | sed -n 's/^interrupted \(.*\)/calico-agent: run \1 was interrupted: calico-agent resume/p' >&2
}

# In a removal, before anything goes.
stop_units() {
  [ -d /run/systemd/system ] || return 0
  for unit in "$@"; do
    # 5: systemd has not loaded it, so that nothing of it runs. Before 244 it refuses a oneshot with Restart=.
    systemctl stop "$unit" || [ $? -eq 5 ] || return 1
  done
}

# The new executable takes over once no run is in flight: the lock is held as long as one is. That may take minutes;
# the package manager does not wait for it.
restart_when_idle() {
  systemctl --quiet is-active "$service" || return 0
  # The restart that an earlier upgrade left waiting brings up this executable.
  if systemctl --quiet is-active calico-agent-restart.service; then return 0; fi
  if [ -e "$state/lock" ]; then
    systemd-run --quiet --collect --unit=calico-agent-restart \
      flock "$state/lock" systemctl --no-block try-restart "$service"
  else
    systemctl try-restart "$service"
  fi || echo "calico-agent: the service runs the former version until: systemctl restart $service" >&2
}
