"""Ansible's way into a host of the lab: nsenter. It stands in for ssh, which these hosts do not have."""

import subprocess

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: lab_host
short_description: enters a host of the lab with nsenter
description: Stands in for ssh. Everything behind the connection is as it is with ssh.
options:
  pid:
    description: PID 1 of the host, as this machine counts.
    type: int
    required: true
    vars:
      - name: lab_pid
"""

ENVIRONMENT = {
    # Without /usr/local, where the lab puts an agent of its own.
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LANG": "C.UTF-8",
}


class Connection(ConnectionBase):
    transport = "lab_host"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def close(self):
        self._connected = False

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._enter(["/bin/sh", "-c", cmd], input=in_data)

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        with open(in_path, "rb") as file:
            self._enter(["/bin/sh", "-c", 'cat >"$0"', out_path], stdin=file)

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with open(out_path, "wb") as file:
            file.write(self._enter(["cat", in_path])[1])

    def _enter(self, argv, **io):
        target = "--target=%d" % self.get_option("pid")
        namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--root", "--wd"]
        done = subprocess.run(["nsenter", target, *namespaces, *argv], env=ENVIRONMENT, capture_output=True, **io)
        return done.returncode, done.stdout, done.stderr
