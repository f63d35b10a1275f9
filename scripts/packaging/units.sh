# Read by the maintainer scripts of the Debian package and the scriptlets of the RPM.

service=calico-agent.service
state=/var/lib/calico-agent

has() { command -v "$1" >/dev/null 2>&1; }

# Leaves a file that something else put there: it says so, and goes on.
provide_agent() {
  completions=/usr/share/bash-completion/completions
  update-alternatives --install /usr/bin/agent agent /usr/bin/calico-agent 10 \
    --slave /usr/share/man/man8/agent.8.gz agent.8.gz /usr/share/man/man8/calico-agent.8.gz \
    --slave "$completions/agent" agent.bash-completion "$completions/calico-agent"
  # Before 0.2.0 the man page was in section 1. Debian's update-alternatives takes its link away, Red Hat's may not.
  if [ "$(readlink /etc/alternatives/agent.1.gz)" = /usr/share/man/man1/calico-agent.1.gz ]; then
    rm -f /etc/alternatives/agent.1.gz /usr/share/man/man1/agent.1.gz
  fi
}

tell_interrupted() {
  if is_at_work "$state"; then return; fi
  unsettled_runs "$state" | sed -n 's/^interrupted \(.*\)/calico-agent: run \1 was interrupted: calico-agent resume/p' >&2
}

# The new executable takes over once no run is in flight: the lock is held as long as one is. That may take minutes;
# the package manager does not wait for it.
restart_when_idle() {
  systemctl --quiet is-active "$service" || return 0
  if [ ! -e "$state/lock" ]; then
    systemctl try-restart "$service"
  elif ! systemd-run --quiet --unit=calico-agent-restart \
    flock "$state/lock" systemctl --no-block try-restart "$service"; then
    echo "calico-agent: the service runs the former version until: systemctl restart $service" >&2
  fi
}
