"""
Runs the Calico host agent. Each function returns the agent's JSON, with its exit code as ``rc``.

    salt 'node1*' calico_agent.status
    salt 'node1*' calico_agent.upgrade check=True
    salt 'node1*' calico_agent.upgrade node=quay.io/calico/node:v2.6.12
"""

import json
import shutil

EXECUTABLE = "calico-agent"


def installed():
    """Whether this minion has the agent. The module loads without it: a state of the same run may install it."""
    return shutil.which(EXECUTABLE) is not None


def _run(command, *flags, **options):
    """``options`` become ``--name=VALUE``, so that no value is taken for an option; those that are None are left out."""
    argv = [EXECUTABLE, command, *flags, "--json"]
    for name, value in options.items():
        if value is not None:
            argv.append("--%s=%s" % (name.replace("_", "-"), value))
    # A list, without a shell: nothing is expanded.
    done = __salt__["cmd.run_all"](argv, python_shell=False, ignore_retcode=True)
    try:
        report = json.loads(done["stdout"])
    except ValueError:
        raise RuntimeError("cannot read calico-agent's output: " + (done["stderr"] or done["stdout"])) from None
    return {**report, "rc": done["retcode"]}


def _rules(allow):
    """One rule, or a list of them."""
    rules = [allow] if isinstance(allow, str) else allow or []
    return ["--allow=%s" % rule for rule in rules]


def _name(run):
    if str(run).startswith("-"):
        raise ValueError("cannot roll back %s: run is the name of a run, as calico-agent history shows it" % run)
    return str(run)


def status(node=None, config=None):
    """What runs on this host, and what an upgrade would change."""
    return _run("status", node=node, config=config)


def upgrade(node=None, window=None, allow=None, config=None, check=False):
    """Upgrades this host to the version in its config, or in ``node``. With ``check``, only plans."""
    flags = ["--check"] if check else []
    return _run("upgrade", *flags, *_rules(allow), node=node, window=window, config=config)


def prefetch(node=None, config=None):
    """Pulls what an upgrade needs; nothing running is changed."""
    return _run("prefetch", node=node, config=config)


def rollback(run=None, window=None, allow=None, config=None):
    """Restores what the last committed run, or ``run``, replaced."""
    return _run("rollback", *([_name(run)] if run else []), *_rules(allow), window=window, config=config)


def resume(config=None):
    """Finishes or undoes an interrupted run."""
    return _run("resume", config=config)
