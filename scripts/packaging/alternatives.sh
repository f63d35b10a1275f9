# Read by the maintainer scripts of the Debian package and the scriptlets of the RPM.

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
