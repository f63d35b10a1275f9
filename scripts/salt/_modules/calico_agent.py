"""
Runs the Calico host agent: what each function returns is the agent's own JSON, with its exit code as ``rc``.

    salt 'node1*' calico_agent.status
    salt 'node1*' calico_agent.upgrade check=True
    salt 'node1*' calico_agent.upgrade node=quay.io/calico/node:v2.6.12
"""

import json
import shutil

EXECUTABLE = "calico-agent"


def installed():
    """Whether this minion has the agent. The module is there without it: a state of the same run may install it."""
    return shutil.which(EXECUTABLE) is not None


def _run(command, *flags, **options):
    """``options`` become ``--name VALUE``; those that are None are left out."""
    argv = [EXECUTABLE, command, *flags, "--json"]
    for name, value in options.items():
        if value is not None:
            argv += ["--" + name.replace("_", "-"), str(value)]
    # A list and no shell: nothing in it is expanded.
    done = __salt__["cmd.run_all"](argv, python_shell=False, ignore_retcode=True)
    try:
        report = json.loads(done["stdout"])
    except ValueError:
        raise RuntimeError("cannot read what calico-agent says: " + (done["stderr"] or done["stdout"])) from None
    return {**report, "rc": done["retcode"]}


def _rules(allow):
    return [word for rule in allow or [] for word in ("--allow", rule)]


def status(node=None, config=None):
    """What runs on this host, and what an upgrade would change."""
    return _run("status", node=node, config=config)


def upgrade(node=None, window=None, allow=None, config=None, check=False):
    """Makes this host run what its config, or ``node``, says. ``check`` only plans."""
    flags = ["--check"] if check else []
    return _run("upgrade", *flags, *_rules(allow), node=node, window=window, config=config)


def prefetch(node=None, config=None):
    """Pulls what an upgrade needs; nothing that runs is touched."""
    return _run("prefetch", node=node, config=config)


def rollback(run=None, window=None, allow=None, config=None):
    """Puts back what the last committed run, or ``run``, replaced."""
    return _run("rollback", *([run] if run else []), *_rules(allow), window=window, config=config)


def resume(config=None):
    """Finishes or unwinds an interrupted run."""
    return _run("resume", config=config)
